"""A process that learns under a guard that no pickle passes: nothing in it reads one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.agent.fitting.conftest import tiny_base
from tests.security.test_no_unpickling import GUARD, ROOT

__all__ = ["tiny_base"]

LEARN = (
    GUARD
    + """
from dataclasses import replace
from pathlib import Path
from agent.fitting.process.run import fit
from agent.fitting.job import Job, Recipe, Sample
samples = tuple(Sample(str(n), text, (role,)) for n, (text, role) in enumerate(
    [("pump leaks oil", "Oil"), ("hose burst", "Oil"), ("lamp dark", "Power"), ("cable short", "Power")] * 3))
for trainer in ("frozen", "contrastive"):
    scratch = Path(sys.argv[2]) / trainer
    scratch.mkdir()
    recipe = Recipe(trainer=trainer, base_model=sys.argv[1], epochs=1, least_steps=2)
    result = fit(Job(samples, ("Oil", "Power"), recipe, scratch / "encoders"), scratch, lambda *_: None)
    print(result.head().weights.shape)
"""
)


def test_a_model_is_learnt_without_unpickling(tiny_base: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEARN, str(tiny_base), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("(2, ") == 2
    assert "UNPICKLED" not in done.stderr
