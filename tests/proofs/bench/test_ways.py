"""The recorder of the ways: what counts as a file in which a function ran, and what does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proofs.bench.ways_records import Call, Records, countable, of_connector, way

TREE = {
    "agent/__init__.py": "",
    "agent/module_only.py": "class Body:\n    value = [1, 2]\n",
    "agent/called_by_import.py": "def value():\n    return 1\n",
    "agent/imports.py": "from agent.called_by_import import value\nVALUE = value()\n",
    "agent/comprehension.py": "make = lambda: [n for n in (1, 2)]\n",
    "agent/threaded.py": "def work():\n    pass\n",
    "agent/child.py": "def main():\n    pass\nmain()\n",
    "heuristics/__init__.py": "",
    "heuristics/turning.py": "async def turn(then):\n    then()\n",
}
SCRIPT = """
import asyncio, subprocess, sys, threading
from agent import comprehension, imports, module_only, threaded
from heuristics.turning import turn
asyncio.run(turn(comprehension.make))
thread = threading.Thread(target=threaded.work); thread.start(); thread.join()
subprocess.run([sys.executable, "-m", "agent.child"], check=True)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, source in TREE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    return tmp_path


def ran(tree: Path, *, opened: bool) -> list[Call]:
    records = Records(tree / "records", tree)
    if opened:
        records.open()
    variables = os.environ | records.environment()
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=tree, env=variables, check=True)
    return records.calls()


def test_a_file_counts_when_a_function_of_it_ran_in_any_thread_or_process(tree: Path) -> None:
    found = way(ran(tree, opened=True), idle=[])
    assert found.files == ("heuristics/turning.py", "agent/comprehension.py", "agent/threaded.py", "agent/child.py")
    assert found.beside == ("agent/called_by_import.py",)


def test_a_closed_window_records_nothing(tree: Path) -> None:
    assert ran(tree, opened=False) == []


def test_the_root_of_a_call_is_what_the_event_loop_runs(tree: Path) -> None:
    roots = {call.path: call.root for call in ran(tree, opened=True) if call.function.startswith("<")}
    assert roots["agent/comprehension.py"] == "heuristics/turning.py:turn"


def call(root: str, path: str, function: str = "run", window: int = 2) -> Call:
    return Call(window, 0, root, path, function, importing=False)


def test_what_a_loop_does_anyway_is_subtracted_for_this_loop_alone() -> None:
    idle = [call("agent/loop.py:run", "agent/loop.py", window=1), call("agent/loop.py:run", "agent/store.py", window=1)]
    same = [call("agent/loop.py:run", "agent/loop.py"), call("agent/loop.py:run", "agent/store.py")]
    assert way(same, idle).files == ()
    assert way([*same, call("agent/request.py:answer", "agent/store.py")], idle).files == ("agent/store.py",)
    assert way([*same, call("agent/loop.py:run", "agent/loop.py", "work")], idle).files == ("agent/loop.py",)


@pytest.mark.parametrize(
    ("path", "counted"),
    [
        ("agent/store/inbox.py", True),
        ("agent/store/__init__.py", False),
        ("agent/store/migrations/versions/0001_first.py", False),
        ("agent/logs.py", False),
        ("agent/observability/metrics.py", False),
        ("agent/metrics/names.py", False),
        ("agent/work/observed.py", True),
    ],
)
def test_what_is_left_out(path: str, counted: bool) -> None:
    assert countable(path) is counted


def test_the_connector_is_told_from_what_all_connectors_share() -> None:
    assert of_connector("connectors/django_helpdesk/text.py")
    assert not of_connector("connectors/http.py")
