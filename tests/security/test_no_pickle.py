"""Nothing that we load can run code: no source of ours reads a pickle, and no column of the database holds one.

Models are safetensors, ONNX and JSON; embeddings are bare float32; jobs in PostgreSQL are JSON. What libraries do while
we serve and learn is watched in test_no_unpickling.py.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import grimp
import numpy as np
import pytest
from sqlalchemy import PickleType
from sqlmodel import SQLModel

from agent.fitting.job import Recipe
from agent.fitting.process.source import UnusableBaseModel
from agent.store import tables
from tests.shared import Late

stock = Late("agent.fitting.process.stock")
ROOT = Path(__file__).parents[2]
PACKAGES = ("agent", "connectors", "heuristics")
READERS = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib", "jsonpickle", "yaml"}
DANGEROUS = {("torch", "load"), ("np", "load"), ("numpy", "load"), ("pd", "read_pickle")}
KEYWORDS = {"allow_pickle": True, "trust_remote_code": True, "weights_only": False}
WRITES_ONE_ON_REQUEST = {("agent.fitting.process.write_setfit", "import joblib")}
"""`rolecall models export --pickle-head` writes what SetFit reads; it reads none."""


def findings(source: str) -> Iterator[str]:
    """Yield what could unpickle or run what was loaded."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (f"import {name.name}" for name in node.names if name.name.partition(".")[0] in READERS)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in READERS:
            yield f"import {node.module}"
        elif isinstance(node, ast.Call):
            yield from _calls(node)


def _calls(call: ast.Call) -> Iterator[str]:
    function = call.func
    if isinstance(function, ast.Name) and function.id in ("eval", "exec", "__import__"):
        yield function.id
    if isinstance(function, ast.Attribute) and (ast.unparse(function.value), function.attr) in DANGEROUS:
        yield ast.unparse(function)
    for keyword in call.keywords:
        if keyword.arg in KEYWORDS and getattr(keyword.value, "value", None) is KEYWORDS[keyword.arg]:
            yield f"{keyword.arg}={KEYWORDS[keyword.arg]}"


def modules() -> dict[str, Path]:
    files = (file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


def test_no_source_of_ours_reads_a_pickle() -> None:
    found = {(name, finding) for name, file in modules().items() for finding in findings(file.read_text("utf-8"))}
    assert found == WRITES_ONE_ON_REQUEST


def test_the_server_cannot_reach_the_one_that_writes_a_pickle() -> None:
    graph = grimp.build_graph(*PACKAGES)
    reached = graph.find_upstream_modules("agent.app") | graph.find_upstream_modules("agent.cli.serve")
    assert {"agent.serving.artefact", "agent.store.tickets", "agent.store.blobs"} <= reached
    assert reached.isdisjoint(name for name, _ in WRITES_ONE_ON_REQUEST)


SUSPICIOUS = (
    *("import pickle", "from joblib import load", "import dill as d", "import numpy as np\nnp.load(x)", "eval(x)"),
    *("import torch\ntorch.load(x)", "f(allow_pickle=True)", "from_pretrained(x, trust_remote_code=True)"),
)


@pytest.mark.parametrize("source", SUSPICIOUS)
def test_the_search_finds_what_it_looks_for(source: str) -> None:
    """The control."""
    assert list(findings(source))


def test_no_column_of_the_database_is_a_pickle() -> None:
    columns = [column for table in SQLModel.metadata.tables.values() for column in table.columns]
    assert tables.Embedding.__table__.columns.vector in columns  # type: ignore[attr-defined]
    assert [column for column in columns if isinstance(column.type, PickleType)] == []


@pytest.mark.xdist_group("torch")
def test_a_base_model_that_brings_a_pickle_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / stock.PICKLED_HEAD).write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    labels = np.eye(2)
    with pytest.raises(UnusableBaseModel, match="a pickle"):
        stock.train(tmp_path, ["a", "b"], labels, Recipe(), multi_label=False, scratch=tmp_path, report=lambda *_: None)
