"""Open a file of rows: what kind it is, how its text is encoded, what divides its cells. Guesses can be told.

delimited (CSV, tabs, ...)   agent.tabular.delimited        JSON       agent.tabular.json_file
workbook (.xlsx)             agent.tabular.workbook         Parquet    agent.tabular.parquet_file
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from agent.errors import BadInput
from agent.tabular.delimited import LOWEST_HEADER, DelimitedFile
from agent.tabular.encoding import Encoding, encoding_of
from agent.tabular.json_file import JsonFile
from agent.tabular.parquet_file import ParquetFile
from agent.tabular.row import Rows
from agent.tabular.workbook import WorkbookFile

NAMED_SEPARATORS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}

NO_TABLES = (
    (
        b"\xd0\xcf\x11\xe0",
        "is a workbook of an old kind, or behind a password: save it as .xlsx without one, or as CSV",
    ),
    (b"\x1f\x8b", "is compressed: unpack it first"),
    (b"%PDF", "is a PDF: export the tickets as CSV"),
)


class Kind(StrEnum):
    """How rows are written down."""

    DELIMITED = "delimited"
    JSON = "JSON"
    WORKBOOK = "workbook"
    PARQUET = "Parquet"


KINDS = {".csv": Kind.DELIMITED, ".tsv": Kind.DELIMITED, ".json": Kind.JSON, ".jsonl": Kind.JSON, ".ndjson": Kind.JSON}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file has to be read."""

    kind: Kind
    encoding: Encoding
    separator: str | None = None
    above: int = 0
    """Lines or rows above the header."""

    sheet: str = ""
    """The name of a workbook's sheet."""

    def __str__(self) -> str:
        """Return it in words."""
        header = f", header on line {self.above + 1}" if self.above else ""
        if self.kind == Kind.WORKBOOK:
            return f"workbook, sheet {self.sheet!r}{header}"
        if self.kind == Kind.PARQUET:
            return "Parquet"
        between = f", separator {'tab' if self.separator == chr(9) else self.separator}" if self.separator else ""
        return f"{'JSON, ' * (self.kind == Kind.JSON)}{self.encoding}{between}{header}"

    def lower(self) -> Iterator[Layout]:
        """Yield the layout, then those with the header on a lower line, below the titles of a report."""
        yield self
        for above in range(1, LOWEST_HEADER) if self.kind in (Kind.DELIMITED, Kind.WORKBOOK) else ():
            yield replace(self, above=above)


def layout_of(file: Path, encoding: str | None = None, separator: str | None = None) -> Layout:
    """Return how a file has to be read; what is None is guessed. Raises BadInput where it is no file of rows."""
    if separator is not None:
        separator = NAMED_SEPARATORS.get(separator.casefold(), separator)
    try:
        if file.exists() and not (file.is_file() or file.is_dir()):
            raise BadInput(f"{file} is no file but a pipe, which can be read only once: write it to a file first")
        with file.open("rb") as opened:
            start = opened.read(512)
        if fault := next((fault for magic, fault in NO_TABLES if start.startswith(magic)), None):
            raise BadInput(f"{file} {fault}")
        if start.startswith(b"PK\x03\x04"):
            with file.open("rb") as opened:
                return Layout(Kind.WORKBOOK, Encoding("utf-8"), sheet=WorkbookFile(file, opened).sheet)
        if start.startswith(b"PAR1"):
            return Layout(Kind.PARQUET, Encoding("utf-8"))
        found = encoding_of(file, encoding)
        beginning = start.decode(found.codec, "ignore").lstrip()
        if beginning.startswith("<"):
            raise BadInput(f"{file} is HTML or XML, whatever its name says: export the tickets as CSV")
        kind = KINDS.get(file.suffix.lower()) or (Kind.JSON if beginning.startswith(("{", "[")) else Kind.DELIMITED)
        layout = Layout(kind, found, separator)
        if kind == Kind.DELIMITED:
            with file.open(encoding=found.codec, errors="replace", newline="") as text:
                layout = Layout(kind, found, DelimitedFile(file, text, separator).separator)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from error
    return layout


@contextmanager
def rows_of(file: Path, layout: Layout) -> Iterator[Rows]:
    """Open a file for a `with` block. Raises BadInput."""
    try:
        if layout.kind in (Kind.WORKBOOK, Kind.PARQUET):
            with file.open("rb") as opened:
                if layout.kind == Kind.PARQUET:
                    yield ParquetFile(file, opened)
                else:
                    yield WorkbookFile(file, opened, layout.above, layout.sheet)
            return
        with file.open(encoding=layout.encoding.codec, errors="replace", newline="") as text:
            if layout.kind == Kind.JSON:
                yield JsonFile(file, text)
            else:
                yield DelimitedFile(file, text, layout.separator, layout.above)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from error
