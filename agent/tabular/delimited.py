"""Read CSV and its kin strictly: a quotation mark that swallows rows is found, whatever it swallowed.

Source: RFC 4180; `sep=;` before the header is Excel's own addition.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from agent.errors import BadInput
from agent.tabular.row import Cell, Row

SEPARATORS = ",;\t|"
"""In order of how common they are."""

MAX_FIELD = 10_000_000
"""Characters in one field; the library's own limit of 131,072 is too small for mail threads."""

END_OF_FILE = "\x1a"
"""Stands alone on the last line of files that old programs wrote."""

SAMPLED = 50
"""Records from which the separator is guessed."""

LOWEST_HEADER = 20
"""Lines or rows that titles, dates of a report and blanks may take above the header."""

_EXCEL = re.compile(r"sep=(.)\r?\n?")


class DelimitedFile:
    """Rows below a header. Columns of the same name are one, with several values."""

    def __init__(self, file: Path, text: Iterable[str], separator: str | None = None, above: int = 0) -> None:
        """Read the header, which has `above` lines above it. Raises BadInput where the separator is none."""
        csv.field_size_limit(MAX_FIELD)
        if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
            raise BadInput(f"separator {separator!r} is none: give one character, or tab")
        self._file = file
        start = list(islice(text, 20 * SAMPLED))
        lines: Iterator[str] = chain(start, text)
        self._before = above
        if start and (named := _EXCEL.fullmatch(start[0])):
            separator, self._before = separator or named[1], max(above, 1)
        for _ in islice(lines, self._before):
            pass
        self.separator = separator or guess_separator(start)
        spaced = any(f'{self.separator} "' in line for line in start)
        quote = quotes_in(start, self.separator)
        escaped = _escaped(start, self.separator)
        if any(map(escaped.search, start)):
            lines = (escaped.sub('""', line) for line in lines)
        self._reader = csv.reader(
            lines, delimiter=self.separator, quotechar=quote, skipinitialspace=spaced, strict=True
        )
        header = next(self._records(), (0, []))[1]
        self._width = len(header)
        self._places: dict[str, list[int]] = {}
        for place, name in enumerate(header):
            if name.strip():
                self._places.setdefault(" ".join(name.split()), []).append(place)

    @property
    def columns(self) -> dict[str, int]:
        """The names in the header, each with the number of columns of that name."""
        return {name: len(places) for name, places in self._places.items()}

    def rows(self, wanted: Sequence[str]) -> Iterator[Row]:
        """Yield every row that is not empty, with its cells of the wanted columns; once. Raises BadInput."""
        places = [self._places[name] for name in wanted]
        for line, fields in self._records():
            if len(fields) != self._width:
                if not any(fields):
                    continue
                if any(fields[self._width :]):
                    fault = (
                        f"{len(fields)} cells, where the header names {self._width}: a {self.separator!r} in a text?"
                    )
                    yield Row(line, (), fault)
                    continue
                fields += [""] * (self._width - len(fields))
            elif not any(fields):
                continue
            yield Row(line, _cells(fields, places), within=tuple(self._within(fields, places)))

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the fields of each record, after the number of the line on which it begins."""
        line = self._reader.line_num
        try:
            for fields in self._reader:
                if fields == [END_OF_FILE]:
                    return
                yield line + self._before + 1, fields
                line = self._reader.line_num
        except csv.Error as error:
            raise BadInput(
                f"{self._file}:{line + self._before + 1}: a quotation mark of this row is not closed where a cell ends "
                f'({error}): remove it, or write it twice in a cell that is in quotation marks, as ""'
            ) from error

    def _within(self, fields: Sequence[str], places: Sequence[Sequence[int]]) -> Iterator[tuple[Cell, ...] | None]:
        """Yield, for the lines of a record on several lines, the cells that each would have as a row of its own."""
        for place, field in enumerate(fields):
            if "\n" not in field and "\r" not in field:
                continue
            first, *others = field.splitlines()
            if not others or self._width < 2:
                continue
            before, after = fields[:place], fields[place + 1 :]
            lines = [[*before, *self._split(first)], *map(self._split, others[:-1]), [*self._split(others[-1]), *after]]
            for number, cells in enumerate(lines):
                ends = number in (0, len(lines) - 1)
                if len(cells) == self._width:
                    yield _cells(cells, places)
                elif ends:
                    yield None

    def _split(self, line: str) -> list[str]:
        return line.split(self.separator)


def _escaped(lines: Sequence[str], separator: str) -> re.Pattern[str]:
    """Return what finds a quotation mark in a text as MySQL and PHP write it: behind a backslash, and no cell ends."""
    around = sum(line.strip()[:1] == line.strip()[-1:] == '"' for line in lines[1:])
    next_cell = re.escape(separator) + ('"' if 2 * around > len(lines) - 1 else "")
    return re.compile(rf'(?<!\\)\\"(?!\s*(?:{next_cell}|$))')


def quotes_in(lines: Sequence[str], separator: str) -> str:
    """Return what stands around cells: the quotation mark, or an apostrophe where it stands around nearly every one."""
    rows = [line.strip() for line in lines[1:] if line.strip()]
    around = sum(line[0] == line[-1] == "'" and f"'{separator}'" in line for line in rows if len(line) > 1)
    return "'" if rows and around >= 0.9 * len(rows) else '"'


def guess_separator(lines: Sequence[str]) -> str:
    """Return what divides the header into more than one cell, and most rows into as many; titles may stand above."""

    def fit(separator: str) -> tuple[float, int]:
        widths = [len(record) for record in islice(csv.reader(lines, delimiter=separator), SAMPLED) if any(record)]
        headers = ((widths[start:].count(width), width) for start, width in enumerate(widths[:LOWEST_HEADER]))
        alike, width = max((fitting for fitting in headers if fitting[1] > 1), default=(0, 0))
        return alike / (len(widths) or 1), width

    return max(SEPARATORS, key=fit)  # the first of equals


def _cells(fields: Sequence[str], places: Sequence[Sequence[int]]) -> tuple[Cell, ...]:
    return tuple(
        fields[of[0]] if len(of) == 1 else tuple(dict.fromkeys(fields[place] for place in of if fields[place].strip()))
        for of in places
    )
