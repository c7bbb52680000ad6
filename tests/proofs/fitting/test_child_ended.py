"""A fit that crashes, one that somebody ends, and one whose parent is killed; the rest is in test_child.py."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from agent.fitting.child import FitCancelled, FitFailed, run
from agent.fitting.job import Job, Progress, Sample
from tests.agent.fitting.test_child import endless
from tests.patience import PATIENCE_SECONDS
from tests.training_processes import alive, training_processes


def test_a_crash_brings_the_end_of_its_output(job: Job, tmp_path: Path) -> None:
    stranger = (*job.samples, Sample("x", "x", ("Unheard-of",)))
    with pytest.raises(FitFailed) as caught:
        asyncio.run(run(replace(job, samples=stranger), tmp_path / "scratch"))
    assert "KeyError: 'Unheard-of'" in caught.value.reason
    assert "Traceback" in caught.value.stderr


def test_a_process_that_somebody_ends_is_no_success(job: Job, tmp_path: Path) -> None:
    def end(progress: Progress) -> None:
        if progress.phase == "tune":
            for pid in training_processes():
                os.kill(pid, signal.SIGTERM)

    with pytest.raises(FitCancelled, match="signal 15"):
        asyncio.run(run(endless(job), tmp_path / "scratch", on_progress=end))


def test_a_parent_that_is_killed_leaves_no_orphan(job: Job, tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import asyncio, json, sys
        from pathlib import Path
        from agent.fitting.child import run
        from agent.fitting.job import Job
        job = Job.from_json(json.loads(sys.argv[1]))
        asyncio.run(run(job, Path(sys.argv[2]), on_progress=lambda progress: print(progress.phase, flush=True)))
        """
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, json.dumps(endless(job).to_json()), str(tmp_path / "scratch")],
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        while parent.stdout.readline().strip() != "tune":
            assert parent.poll() is None
        (child,) = training_processes(parent.pid)
        parent.kill()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while alive(child):
        assert time.monotonic() < deadline, "the training process outlived its parent"
        time.sleep(0.05)
