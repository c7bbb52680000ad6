"""Read labelled texts from files of rows (`agent.tabular`), Parquet files, or a data set on the Hugging Face hub.

Types are never guessed: what is written as 007, true or NA is a text.

A folder has one or more files for each split, as data sets on the hub do: `train.csv`, `test-00000-of-00001.parquet`.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.errors import BadInput
from agent.packages import require
from agent.tabular.row import SWALLOWED
from agent.tabular.table import KINDS, Layout, layout_of, rows_of
from agent.text.reading import joined, one_line

PARQUET = ".parquet"
SUFFIXES = (*KINDS, ".txt", ".xlsx", PARQUET)
DOWNLOAD = ("-m", "agent.fitting.process.download_dataset")
LABEL_NAMES = "label_text"
"""A column that data sets of the SetFit organisation have beside the number of the label."""


@dataclass(frozen=True, slots=True)
class Row:
    """One text with the label that the data set gives it."""

    text: str
    label: str


Labelled = tuple[list[str], str]
"""The text of each text column, and the label."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled texts, how many rows had no text or no label, and how the files were read."""

    rows: Sequence[Row]
    skipped: int = 0
    read_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the text and label columns. Several text columns are joined; `names` maps labels to names."""

    text: tuple[str, ...] = ("text",)
    label: str = "label"
    names: Mapping[str, str] | None = None


def read(dataset: str, split: str, columns: Columns) -> Dataset:
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


def read_files(files: Sequence[Path], columns: Columns) -> Dataset:
    """Return the labelled texts of files. Raises BadInput, naming file and column, or the line of a faulty row."""
    rows: list[Row] = []
    skipped, read_as = 0, []
    for file in files:
        labelled, layout = _parquet(file, columns) if file.suffix == PARQUET else labelled_texts(file, columns)
        if layout is not None:
            read_as.append(f"{file}: {layout}")
        for parts, given in labelled:
            label = one_line(given)
            row = Row(_joined(parts), (columns.names or {}).get(label, label))
            if row.text and row.label:
                rows.append(row)
            else:
                skipped += 1
    return Dataset(rows, skipped, tuple(read_as))


def labelled_texts(file: Path, columns: Columns) -> tuple[Iterable[Labelled], Layout | None]:
    """Return the cells of a file's rows, as they are written, and how the file was read. Raises BadInput."""
    layout, rows, folded = _below_titles(file, columns), [], []
    with rows_of(file, layout) as table:
        for row in table.rows(chosen(file, list(table.columns), columns)):
            if row.fault is not None:
                raise BadInput(f"{file}:{row.line}: {row.fault}")
            *parts, label = (cell if isinstance(cell, str) else "\n".join(cell) for cell in row.cells)
            rows.append((parts, label))
            if row.within:
                folded.append(row)
    labels = {label for _, label in rows if label}
    for row in folded:
        first, *middle, last = (cells is not None and cells[-1] in labels for cells in row.within)
        if any(middle) or (first and last):
            raise BadInput(SWALLOWED.format(place=f"{file}:{row.line}"))
    return rows, layout


def _below_titles(file: Path, columns: Columns) -> Layout:
    """Return how a file has to be read, with the first header that names the columns. Raises BadInput."""
    refused: list[tuple[int, BadInput]] = []
    for layout in layout_of(file).lower():
        with rows_of(file, layout) as table:
            there = list(table.columns)
        try:
            chosen(file, there, columns)
        except BadInput as error:
            refused.append((len(there), error))
        else:
            return layout
    raise max(refused, key=lambda fault: fault[0])[1]


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
    return joined(parts[0], "\n".join(parts[1:])) if len(parts) > 1 else parts[0].strip()


def chosen(file: Path, there: Sequence[str], columns: Columns) -> list[str]:
    """Return the names of the text columns and, last, of the label's, as the file writes them. Raises BadInput."""
    by_name = {name.strip().casefold(): name for name in reversed(there)} | {name: name for name in there}
    wanted = (*columns.text, LABEL_NAMES if columns.names is None and LABEL_NAMES in there else columns.label)
    found = [by_name.get(name) or by_name.get(name.casefold()) for name in wanted]
    if missing := [name for name, there_is in zip(wanted, found, strict=True) if there_is is None]:
        names = f"no column {', '.join(missing)}; there is {', '.join(there) or 'nothing'}"
        raise BadInput(f"{file}: {names} (name them: --text, --label)")
    return [name for name in found if name is not None]


def _parquet(file: Path, columns: Columns) -> tuple[Iterable[Labelled], Layout | None]:
    require("pyarrow")
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(file)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise BadInput(f"{file}: {error}") from error
    cells = (table[name].to_pylist() for name in chosen(file, table.column_names, columns))
    rows = zip(*cells, strict=True)
    return (([*map(_text, parts)], _text(label)) for *parts, label in rows), None


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _files(folder: Path, split: str) -> list[Path]:
    found = sorted(path for path in folder.rglob(f"{split}*") if path.suffix in SUFFIXES)
    if not found:
        raise BadInput(
            f"{folder}: no file {split}.csv, {split}.parquet or {split}-....parquet (another split: --split)"
        )
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
