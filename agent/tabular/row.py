"""What every kind of file gives: its rows, each with the cells of the wanted columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

SWALLOWED = (
    "{place}: a quotation mark of this row is closed lines later, and the rows between are in one cell: "
    'remove it, or write it twice in a cell that is in quotation marks, as ""'
)

Cell = str | tuple[str, ...]
"""The text of one cell; of a list, or of columns of the same name, all that are not empty."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, on the line where it begins. A faulty one has no cells."""

    line: int
    cells: tuple[Cell, ...]
    fault: str | None = None
    within: tuple[tuple[Cell, ...] | None, ...] = ()
    """Of a cell on several lines: the cells that its lines would have as rows, first to last, None for no row."""


class Rows(Protocol):
    """A file of rows."""

    @property
    def columns(self) -> dict[str, int]:
        """The names of the columns, each with how many columns have it."""

    def rows(self, wanted: Sequence[str]) -> Iterator[Row]:
        """Yield the rows, once."""
