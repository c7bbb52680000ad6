"""Read the first sheet of a workbook (.xlsx) that holds a table.

Ids and dates are there as they were typed, not as they are shown. Where cells of a column are merged, only the first
holds what all of them show: it counts for each row that has something else of its own.
"""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

from agent.errors import BadInput
from agent.tabular.row import Cell, Row

TABLE = 3
"""Columns of the narrowest table: an id, a text, a role."""

LOOKED_AT = 20

UNREADABLE = "{file} is no workbook that can be read: save it as CSV"
PACKED = "{file} holds other files: unpack it first"

_CODED = re.compile(r"_x((?!D[89A-F])[0-9A-F]{4})_", re.I)
"""A sign that XML cannot hold, as workbooks write it (ECMA-376, ST_Xstring): a carriage return is _x000D_."""

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^<>]*?ref="([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})"')
"""Merged cells, as a sheet tells them behind its rows (ECMA-376, CT_MergeCell)."""

PIECE = 2**20
LONGEST_TAG = 1_000

Merged = Mapping[int, Sequence[tuple[int, int]]]
"""By the number of their first row: the place of their first column, and the number of their last row."""

DAMAGED = (
    *(BadZipFile, zlib.error, SyntaxError, EOFError, OSError, NotImplementedError),
    *(KeyError, ValueError, TypeError, IndexError, AttributeError),
)
"""What reading a damaged workbook raises: zip, deflate, XML (a SyntaxError), or parts that are not what they should."""


class WorkbookFile:
    """Rows below a header, read one after the other. Columns of the same name are one, with several values."""

    def __init__(self, file: Path, opened: IO[bytes], above: int = 0, sheet: str | None = None) -> None:
        """Read the header, which has `above` rows above it. Raises BadInput where the file is no workbook."""
        import openpyxl  # takes a tenth of a second, and most files are CSV

        try:
            with warnings.catch_warnings(action="ignore"):  # of styles and extensions, which do not matter here
                sheets = openpyxl.load_workbook(opened, read_only=True, data_only=True).worksheets
            chosen = next((each for each in sheets if each.title == sheet), None) or max(sheets, key=_width)
        except DAMAGED as error:
            raise BadInput((PACKED if _packed(opened) else UNREADABLE).format(file=file)) from error
        self.sheet: str = chosen.title
        self._first = above + 2
        self._rows: Iterator[Sequence[Any]] = islice(_whole(file, _filled(chosen)), above, None)
        self._places: dict[str, list[int]] = {}
        for place, name in enumerate(next(self._rows, ())):
            if _text(name).strip():
                self._places.setdefault(" ".join(_text(name).split()), []).append(place)

    @property
    def columns(self) -> dict[str, int]:
        """The names in the header, each with the number of columns of that name."""
        return {name: len(places) for name, places in self._places.items()}

    def rows(self, wanted: Sequence[str]) -> Iterator[Row]:
        """Yield every row that is not empty, with its cells of the wanted columns; once."""
        for number, values in enumerate(self._rows, self._first):
            cells = [[_text(values[place]) for place in self._places[name] if place < len(values)] for name in wanted]
            if any(value is not None for value in values):
                yield Row(number, tuple(map(_cell, cells)))


def _packed(opened: IO[bytes]) -> bool:
    """Return whether a file that is no workbook is an archive of files that may be histories."""
    try:
        names = ZipFile(opened).namelist()
    except DAMAGED:
        return False
    return any(name.lower().endswith((".csv", ".xlsx", ".json", ".jsonl", ".txt")) for name in names)


def _whole(file: Path, rows: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """Yield the rows. Raises BadInput where the sheet is damaged further down."""
    try:
        yield from rows
    except DAMAGED as error:
        raise BadInput(UNREADABLE.format(file=file)) from error


def _rows(sheet: Any) -> Iterator[Sequence[Any]]:
    sheet.reset_dimensions()  # some programs write a wrong size, and all cells beyond it would be missing
    rows: Iterator[Sequence[Any]] = sheet.iter_rows(values_only=True)
    return rows


def _filled(sheet: Any) -> Iterator[Sequence[Any]]:
    """Yield the rows, with what the first of merged cells holds in those below it; empty rows stay empty."""
    merged = _merged(sheet)
    above: dict[int, tuple[int, Any]] = {}
    for number, row in enumerate(_rows(sheet), 1):
        for place, last in merged.get(number, ()):
            above[place] = last, row[place] if place < len(row) else None
        if above and any(value is not None for value in row):
            above = {place: one for place, one in above.items() if one[0] >= number}
            cells = [*row, *[None] * (max(above, default=0) + 1 - len(row))]
            for place, (_, value) in above.items():
                cells[place] = value if cells[place] is None else cells[place]
            row = cells
        yield row


def _merged(sheet: Any) -> Merged:
    """Return which cells of a column are merged: openpyxl tells it only of a sheet that is in memory as a whole."""
    from openpyxl.utils import column_index_from_string

    found: dict[int, list[tuple[int, int]]] = {}
    with sheet._get_source() as part:
        rest = b""
        while piece := part.read(PIECE):
            piece = rest + piece
            end = 0
            for merge in _MERGED.finditer(piece):
                end, first, last = merge.end(), int(merge[2]), int(merge[3])
                if last > first:
                    found.setdefault(first, []).append((column_index_from_string(merge[1].decode()) - 1, last))
            rest = piece[max(end, len(piece) - LONGEST_TAG) :]
    return found


def _width(sheet: Any) -> int:
    """Return how many cells the widest of the first rows fills, of the few that make a table: a cover has less."""
    return max(
        (min(sum(cell is not None for cell in row), TABLE) for row in islice(_rows(sheet), LOOKED_AT)), default=0
    )


def _cell(texts: Sequence[str]) -> Cell:
    return texts[0] if len(texts) == 1 else tuple(text for text in texts if text.strip())


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _CODED.sub(lambda found: chr(int(found[1], 16)), value).replace("\r\n", "\n") if "_x" in value else value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
