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
    assert read(str(folder), "test", columns).rows == expected
    assert read(str(folder), "train", columns).rows == expected * 2
    assert read(str(folder), "train", columns).skipped == 2
    assert read(str(folder / "test.csv"), "whatever", Columns()).rows[0] == Row("stocks fall", "2")


def test_several_columns_make_one_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("subject,body,label\nA,B,x\nA,A and B,x\n", "utf-8")
    rows = read(str(tmp_path / "t.csv"), "", Columns(text=("subject", "body")))
    assert [row.text for row in rows.rows] == ["A\nB", "A and B"]


@pytest.mark.parametrize(
    ("name", "said"), [("none.csv", "no such file"), ("test.csv", "no column body; there is text, label")]
)
def test_what_is_missing_is_named(folder: Path, name: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read(str(folder / name), "test", Columns(text=("body",)))


def test_text_is_text_whatever_it_looks_like(tmp_path: Path) -> None:
    cells = ["true", "False", "NA", "null", "007", "1.50", "2025-03-04", "1e3", "-", "Ja"]
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"{cell},{cell}\n" for cell in cells))
    found = read(str(tmp_path / "t.csv"), "", Columns())
    assert found.rows == [Row(cell, cell) for cell in cells]
    assert found.skipped == 0


def test_labels_are_trimmed_and_composed_and_what_has_none_is_counted(tmp_path: Path) -> None:
    labels = ["Qualität", " Qualität ", "Qualita\u0308t", "Qua\u200blität", "\u00a0"]
    file = tmp_path / "t.csv"
    file.write_bytes(b"text;Label\n" + "".join(f"a{n};{label}\n" for n, label in enumerate(labels)).encode())
    found = read(str(file), "", Columns())
    assert {row.label for row in found.rows} == {"Qualität"}
    assert (len(found.rows), found.skipped) == (4, 1)
    assert found.read_as == (f"{file}: UTF-8, separator ;",)


@pytest.mark.parametrize("rows", ['"a,x\nb,y\nc,z\n', '"a" b,x\n', '"a,x\nb,y\nc",z\nd,y\n', '"a,y\nc",y\nd,y\n'])
def test_a_stray_quotation_mark_is_told_with_its_line(tmp_path: Path, rows: str) -> None:
    (tmp_path / "t.csv").write_text("text,label\nfirst,x\n" + rows)
    with pytest.raises(BadInput, match=r"t\.csv:3: a quotation mark of this row"):
        read(str(tmp_path / "t.csv"), "", Columns())


def test_another_code_page_is_no_other_label(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("text,label\na,Qualität\n".encode("latin-1"))
    assert read(str(tmp_path / "t.csv"), "", Columns()).rows == [Row("a", "Qualität")]


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
    fetched, there = (read(str(place), "test", Columns(names=NAMES)) for place in (target, alone))
    assert (fetched.rows, fetched.skipped) == (there.rows, there.skipped)


def test_the_same_seed_draws_the_same_texts_of_each_label() -> None:
    rows = [Row(f"text {number}", "abc"[number % 3]) for number in range(30)] + [Row("only", "rare")]
    drawn, rest = per_class(rows, 4, seed=1)
    assert Counter(row.label for row in drawn) == {"a": 4, "b": 4, "c": 4, "rare": 1}
    assert per_class(rows, 4, seed=1) == (drawn, rest)
    assert per_class(rows, 4, seed=2)[0] != drawn
    assert sorted(row.text for row in drawn + rest) == sorted(row.text for row in rows)
