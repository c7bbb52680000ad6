"""Read labelled texts from CSV or Parquet files, or from a data set on the Hugging Face hub.

A folder has one or more files for each split, as data sets on the hub do: `train.csv`, `test-00000-of-00001.parquet`.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.domain import ticket_text
from agent.errors import BadInput
from agent.packages import require

SUFFIXES = (".csv", ".parquet")
DOWNLOAD = ("-m", "agent.fitting.process.download_dataset")
LABEL_NAMES = "label_text"
"""A column that data sets of the SetFit organisation have beside the number of the label."""


@dataclass(frozen=True, slots=True)
class Row:
    """One text with the label that the data set gives it."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the text and label columns. Several text columns are joined; `names` maps labels to names."""

    text: tuple[str, ...] = ("text",)
    label: str = "label"
    names: Mapping[str, str] | None = None


def read(dataset: str, split: str, columns: Columns) -> list[Row]:
    """Return the rows of a file, of a folder's split, or of a data set on the hub. Raises BadInput."""
    path = Path(dataset)
    if path.is_file():
        return read_files([path], columns)
    if path.is_dir():
        return read_files(_files(path, split), columns)
    if path.suffix in SUFFIXES:
        raise BadInput(f"{dataset}: there is no such file")
    with tempfile.TemporaryDirectory() as folder:
        return read_files([_download(dataset, split, Path(folder))], columns)


def read_files(files: Sequence[Path], columns: Columns) -> list[Row]:
    """Return the rows of CSV and Parquet files. Raises BadInput, naming file and column."""
    rows: list[Row] = []
    for file in files:
        table = _table(file)
        missing = [name for name in (*columns.text, columns.label) if name not in table]
        if missing:
            raise BadInput(f"{file}: no column {', '.join(missing)}; there is {', '.join(table)}")
        labels = table[LABEL_NAMES] if columns.names is None and LABEL_NAMES in table else table[columns.label]
        texts = zip(*(table[name] for name in columns.text), strict=True)
        names = columns.names or {}
        rows += [
            Row(_joined([str(part or "") for part in parts]), names.get(str(label), str(label)))
            for parts, label in zip(texts, labels, strict=True)
            if label is not None
        ]
    return [row for row in rows if row.text and row.label]


def per_class(rows: Sequence[Row], count: int, seed: int) -> tuple[list[Row], list[Row]]:
    """Return `count` random rows of each label (all where there are fewer), and the rest in their order."""
    by_label: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        by_label[row.label].append(index)
    chance = random.Random(seed)  # noqa: S311 - a draw that can be repeated, not a secret
    drawn = [index for _, found in sorted(by_label.items()) for index in chance.sample(found, min(count, len(found)))]
    taken = set(drawn)
    return [rows[index] for index in drawn], [row for index, row in enumerate(rows) if index not in taken]


def _joined(parts: Sequence[str]) -> str:
    return ticket_text(parts[0], "\n".join(parts[1:])) if len(parts) > 1 else parts[0].strip()


def _table(file: Path) -> dict[str, list[Any]]:
    require("pyarrow")
    import pyarrow
    from pyarrow import csv, parquet

    try:
        if file.suffix == ".parquet":
            table = parquet.read_table(file)
        else:
            table = csv.read_csv(file, parse_options=csv.ParseOptions(newlines_in_values=True))
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise BadInput(f"{file}: {error}") from error
    return {str(name): column for name, column in table.to_pydict().items()}


def _files(folder: Path, split: str) -> list[Path]:
    found = sorted(path for path in folder.rglob(f"{split}*") if path.suffix in SUFFIXES)
    if not found:
        raise BadInput(f"{folder}: no file {split}.csv, {split}.parquet or {split}-....parquet")
    return found


def _download(dataset: str, split: str, folder: Path) -> Path:
    """Download a split in a separate process, since the hub's library takes seconds to import."""
    require("datasets")
    target = folder / "rows.parquet"
    command = [sys.executable, *DOWNLOAD, dataset, split, str(target)]
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 - our own module, and its arguments
    if done.returncode or not target.is_file():
        lines = done.stderr.strip().splitlines()
        raise BadInput(f"{dataset}: {lines[-1] if lines else 'cannot be fetched'}")
    return target
