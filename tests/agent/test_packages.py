"""What is installed, and what libraries may believe to be."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from agent.packages import without


def test_a_library_can_be_imported_as_if_another_one_were_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "heavy_table.py").write_text("")
    (tmp_path / "likes_tables.py").write_text(
        "try:\n    import heavy_table as table\nexcept ImportError:\n    table = None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("heavy_table", "likes_tables"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with without("heavy_table"):
        assert importlib.import_module("likes_tables").table is None
    loaded = importlib.import_module("heavy_table")
    monkeypatch.delitem(sys.modules, "likes_tables")
    with without("heavy_table"):  # it is in memory anyhow
        assert importlib.import_module("likes_tables").table is loaded
    for name in ("heavy_table", "likes_tables"):
        monkeypatch.delitem(sys.modules, name)
