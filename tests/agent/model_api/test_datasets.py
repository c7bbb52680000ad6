"""Data sets: read from files of two kinds, drawn from evenly, judged without what was learnt."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from agent.errors import BadInput
from agent.model_api.datasets import DOWNLOAD, Columns, Row, per_class, read

ROWS = [("stocks fall", 2), ("they won the cup", 1), ("", 1), ("a chip of glass", 3), ("line one\nline two", 0)]
NAMES = {"0": "World", "1": "Sports", "2": "Business", "3": "Science/Technology"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    table = {"text": [text for text, _ in ROWS], "label": [label for _, label in ROWS]}
    (tmp_path / "data").mkdir()
    for number in range(2):
        parquet.write_table(pa.table(table), tmp_path / "data" / f"train-0000{number}-of-00002.parquet")
    lines = [f'"{text}",{label}' for text, label in ROWS]
    (tmp_path / "test.csv").write_text("\n".join(["text,label", *lines]), "utf-8")
    return tmp_path


def test_a_folder_is_read_by_split_and_numbers_get_their_names(folder: Path) -> None:
    columns = Columns(names=NAMES)
    expected = [Row(text, NAMES[str(label)]) for text, label in ROWS if text]
    assert read(str(folder), "test", columns) == expected
    assert read(str(folder), "train", columns) == expected * 2
    assert read(str(folder / "test.csv"), "whatever", Columns())[0] == Row("stocks fall", "2")


def test_several_columns_make_one_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("subject,body,label\nA,B,x\nA,A and B,x\n", "utf-8")
    rows = read(str(tmp_path / "t.csv"), "", Columns(text=("subject", "body")))
    assert [row.text for row in rows] == ["A\nB", "A and B"]


@pytest.mark.parametrize(
    ("name", "said"), [("none.csv", "no such file"), ("test.csv", "no column body; there is text, label")]
)
def test_what_is_missing_is_named(folder: Path, name: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read(str(folder / name), "test", Columns(text=("body",)))


def test_a_split_that_a_folder_lacks_is_named(folder: Path) -> None:
    with pytest.raises(BadInput, match="validation"):
        read(str(folder), "validation", Columns())


def test_the_process_that_fetches_from_the_hub_leaves_a_readable_file(folder: Path, tmp_path: Path) -> None:
    # to the hub's library a folder is a data set like any other, and needs no network
    target, alone = tmp_path / "fetched.parquet", tmp_path / "alone"
    alone.mkdir()
    shutil.copy(folder / "test.csv", alone)
    command = [sys.executable, *DOWNLOAD, str(alone), "test", str(target)]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"HF_HOME": str(tmp_path / "cache")})
    assert read(str(target), "", Columns(names=NAMES)) == read(str(alone), "test", Columns(names=NAMES))


def test_the_same_seed_draws_the_same_texts_of_each_label() -> None:
    rows = [Row(f"text {number}", "abc"[number % 3]) for number in range(30)] + [Row("only", "rare")]
    drawn, rest = per_class(rows, 4, seed=1)
    assert Counter(row.label for row in drawn) == {"a": 4, "b": 4, "c": 4, "rare": 1}
    assert per_class(rows, 4, seed=1) == (drawn, rest)
    assert per_class(rows, 4, seed=2)[0] != drawn
    assert sorted(row.text for row in drawn + rest) == sorted(row.text for row in rows)
