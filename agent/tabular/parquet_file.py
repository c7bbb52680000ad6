"""Read a Parquet file as rows of texts, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from agent.errors import BadInput
from agent.tabular.row import Cell, Row


class ParquetFile:
    """Rows with columns of texts, numbers, times and lists of these."""

    def __init__(self, file: Path, opened: IO[bytes]) -> None:
        """Read the schema. Raises BadInput where the file is no Parquet file that can be read."""
        import pyarrow as pa  # takes a tenth of a second, and most files are CSV
        from pyarrow import parquet

        self._failures: tuple[type[Exception], ...] = (pa.ArrowException, OSError, ValueError)
        self._file = file
        try:
            self._opened = parquet.ParquetFile(opened)
            self._names = list(self._opened.schema_arrow.names)
        except self._failures as error:
            raise BadInput(f"{file} is no Parquet file that can be read: export it as CSV") from error

    @property
    def columns(self) -> dict[str, int]:
        """The names of the columns."""
        return dict.fromkeys(self._names, 1)

    def rows(self, wanted: Sequence[str]) -> Iterator[Row]:
        """Yield every row, with its cells of the wanted columns; once. Raises BadInput where the file is damaged."""
        number = 0
        try:
            for batch in self._opened.iter_batches(1_000, columns=list(dict.fromkeys(wanted))):
                for row in batch.to_pylist():
                    number += 1
                    yield Row(number, tuple(_cell(row[name]) for name in wanted))
        except self._failures as error:
            raise BadInput(f"{self._file} is damaged behind row {number}: export it again") from error


def _cell(value: Any) -> Cell:
    if isinstance(value, list | tuple):
        return tuple(_text(item) for item in value if item is not None)
    return _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)
