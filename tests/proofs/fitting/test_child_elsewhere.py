"""What is only on Linux is not needed: a fit where there is no /proc and processes are spawned, as on macOS."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.fitting.child import resident_mb
from agent.fitting.job import Job, Recipe, Sample
from tests.replica import without_proc

ROOT = Path(__file__).parents[3]

FIT = """
import asyncio, json, multiprocessing, sys
from pathlib import Path
from agent.fitting.child import FitOutOfMemory, Limits, run
from agent.fitting.job import Job

assert multiprocessing.get_start_method() == "spawn"
try:
    Path("/proc/self/statm").read_text()
except FileNotFoundError:
    pass
else:
    raise AssertionError("/proc is there")
job = Job.from_json(json.loads(sys.argv[1]))
result = asyncio.run(run(job, Path(sys.argv[2])))
try:
    asyncio.run(run(job, Path(sys.argv[2]), limits=Limits(memory_mb=20)))
    watched = False
except FitOutOfMemory:
    watched = True
print(json.dumps([result.peak_mb, watched]))
"""

IMPORTS = """
import importlib, pkgutil
import agent, connectors, heuristics
for room in (agent, connectors, heuristics):
    for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        if not module.name.endswith((".__main__", "helpdesk_site")) and ".migrations" not in module.name:
            importlib.import_module(module.name)
print("imported")
"""


def python(environment: dict[str, str], program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_every_module_can_be_imported_without_proc(tmp_path: Path) -> None:
    assert python(without_proc(tmp_path / "site"), IMPORTS) == "imported"


def test_a_fit_ends_and_is_kept_within_its_memory_without_proc(tiny_base: Path, tmp_path: Path) -> None:
    texts = {"Hydraulics": ["pump leaks oil", "hose burst"], "Electrical": ["lamp dark", "fuse short"]}
    samples = tuple(Sample(text, text, (role,)) for role, found in texts.items() for text in found)
    recipe = Recipe(base_model=str(tiny_base), trainer="frozen")
    job = Job(samples, tuple(texts), recipe, tmp_path / "encoders")
    peak_mb, watched = json.loads(
        python(without_proc(tmp_path / "site"), FIT, json.dumps(job.to_json()), str(tmp_path / "scratch"))
    )
    assert 10 < peak_mb < 10_000
    assert watched


def test_ps_and_proc_agree() -> None:
    """As far as two looks at one moment's memory can."""
    from agent.fitting.child import _listed_mb

    looks = asyncio.run(resident_mb(os.getpid())), asyncio.run(_listed_mb(os.getpid()))
    assert looks[0] == pytest.approx(looks[1], rel=0.2)
    assert asyncio.run(resident_mb(2**22 + 1)) == 0.0
