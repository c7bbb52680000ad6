"""What commands print fits 80 columns: short tables, and lists with a line or two for each ticket."""

from __future__ import annotations

from collections.abc import Sequence

from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from agent.cli.console import Console, harmless

COLUMNS = 80
EXCERPT = 200
"""Characters of a text that are looked at: more never fit on a line."""

ROLES_SHOWN = 12
"""Roles in a table that is not asked for in full."""


def console() -> Console:
    """Return the console of whatever prints tables and lists: never wider than people read."""
    return Console(highlight=False, width=COLUMNS)


def aside() -> Console:
    """Return the console of what is said beside the result, such as how long it takes."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def line(text: str) -> Text:
    """Return the text on one line, made harmless before its width is measured."""
    return Text(harmless(" ".join(text.split())))


def entry(out: Console, head: str, detail: str) -> None:
    """Print an entry of a list: a line, cut to fit, and below it what is said of it."""
    out.print(line(head[:EXCERPT]), no_wrap=True, overflow="ellipsis")
    out.print(Padding(line(detail), (0, 0, 0, 4)))


def table(*columns: str) -> Table:
    """Return a table whose first column is a name, cut to fit, and whose others are numbers."""
    first, *numbers = columns
    return Table(
        Column(first, no_wrap=True, overflow="ellipsis", max_width=32),
        *(Column(name, justify="right", no_wrap=True) for name in numbers),
    )


def row(into: Table, name: str, *values: object) -> None:
    """Add a row to such a table."""
    into.add_row(line(name), *(str(value) for value in values))


def left_out(names: Sequence[object], shown: int, what: str) -> str | None:
    """Return the line that says what is not shown, None where all is."""
    return f"{len(names) - shown} more {what}: --all shows them" if len(names) > shown else None
