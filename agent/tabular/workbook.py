"""Read the first sheet of a workbook (.xlsx): ids and dates are there as they were typed, not as they are shown."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile

from agent.errors import BadInput
from agent.tabular.row import Cell, Row


class WorkbookFile:
    """Rows below a header, read one after the other. Columns of the same name are one, with several values."""

    def __init__(self, file: Path, opened: IO[bytes]) -> None:
        """Read the header. Raises BadInput where the file is no workbook."""
        import openpyxl  # takes a tenth of a second, and most files are CSV

        try:
            with warnings.catch_warnings(action="ignore"):  # of styles and extensions, which do not matter here
                sheet = openpyxl.load_workbook(opened, read_only=True, data_only=True).worksheets[0]
        except (BadZipFile, KeyError, IndexError, ValueError, OSError) as error:
            raise BadInput(f"{file} is no workbook that can be read: save it as CSV") from error
        self._rows: Iterator[Sequence[Any]] = sheet.iter_rows(values_only=True)
        self._places: dict[str, list[int]] = {}
        for place, name in enumerate(next(self._rows, ())):
            if _text(name).strip():
                self._places.setdefault(" ".join(_text(name).split()), []).append(place)

    @property
    def columns(self) -> dict[str, int]:
        """The names in the first row, each with the number of columns of that name."""
        return {name: len(places) for name, places in self._places.items()}

    def rows(self, wanted: Sequence[str]) -> Iterator[Row]:
        """Yield every row that is not empty, with its cells of the wanted columns; once."""
        for number, values in enumerate(self._rows, 2):
            cells = [[_text(values[place]) for place in self._places[name] if place < len(values)] for name in wanted]
            if any(value is not None for value in values):
                yield Row(number, tuple(map(_cell, cells)))


def _cell(texts: Sequence[str]) -> Cell:
    return texts[0] if len(texts) == 1 else tuple(text for text in texts if text.strip())


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
