"""A fit in a process of its own: it reports, it ends when told to, and it leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.fitting import child
from agent.fitting.child import FitFailed, FitOutOfMemory, FitTimedOut, Limits, environment, run
from agent.fitting.job import Job, Progress, Recipe
from agent.fitting.process.run import fit
from agent.serving.model import Encoder
from tests.agent.fitting.tiny_job import ROLES, TEXTS
from tests.patience import until
from tests.training_processes import training_processes

NICENESS = child.NICENESS
"""What it is outside tests, where it is 0."""


def endless(job: Job) -> Job:
    """Return a job that would take days."""
    return replace(job, recipe=replace(job.recipe, epochs=1e7))


def test_a_job_survives_the_trip_through_json(job: Job) -> None:
    assert Job.from_json(job.to_json()) == job


@pytest.mark.xdist_group("torch")
def test_a_finished_fit_leaves_what_serving_and_judging_need(job: Job, tmp_path: Path) -> None:
    heard: list[Progress] = []
    job = replace(job, recipe=replace(job.recipe, cross_fit_folds=3))
    result = asyncio.run(run(job, tmp_path / "scratch", on_progress=heard.append))
    assert result.tuned
    assert {"read", "tune", "cross-fit 1", "cross-fit 3"} <= {progress.phase for progress in heard}
    texts = [sample.text for sample in job.samples]
    arrays = result.arrays()
    served = Encoder.load(result.folder).embed(texts)
    np.testing.assert_allclose(served, arrays["embeddings"], atol=1e-4)
    base = Encoder.load(tmp_path / "encoders" / result.encoder).embed(texts)
    np.testing.assert_allclose(base, arrays["base_embeddings"], atol=1e-4)
    named = (served @ result.head().weights.T + result.head().bias).argmax(axis=1)
    assert [ROLES[role] for role in named[:9]] == [role for role, texts in TEXTS.items() for _ in texts]
    assert np.isfinite(arrays["out_of_fold"][:9]).all()
    assert np.isnan(arrays["out_of_fold"][9]).all()
    again = fit(job, tmp_path, lambda phase, done, total: None)
    assert again.weights_sha256 == result.weights_sha256
    result.discard()
    assert not result.folder.exists()


def test_cancelling_ends_the_process_and_deletes_its_folder(job: Job, tmp_path: Path) -> None:
    async def cancel_when_tuning() -> None:
        tuning = asyncio.Event()

        def hear(progress: Progress) -> None:
            if progress.phase == "tune":
                tuning.set()

        task = asyncio.create_task(run(endless(job), tmp_path / "scratch", on_progress=hear))
        await tuning.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_when_tuning())
    assert list((tmp_path / "scratch").iterdir()) == []
    assert training_processes() == []


def test_a_training_gives_way_to_whatever_serves(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "NICENESS", NICENESS)

    async def niceness() -> int:
        begun = asyncio.Event()
        task = asyncio.create_task(run(endless(job), tmp_path / "scratch", on_progress=lambda _: begun.set()))
        await begun.wait()
        (training,) = training_processes()
        seen = os.getpriority(os.PRIO_PROCESS, training)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return seen

    assert asyncio.run(niceness()) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)


def test_a_fit_that_takes_too_long_is_ended(job: Job, tmp_path: Path) -> None:
    with pytest.raises(FitTimedOut, match=r"longer than 1 s, \[learning\] timeout_seconds"):
        asyncio.run(run(endless(job), tmp_path / "scratch", limits=Limits(wall_seconds=1)))
    assert list((tmp_path / "scratch").iterdir()) == []
    assert training_processes() == []


def test_a_fit_that_takes_too_much_memory_is_ended(job: Job, tmp_path: Path) -> None:
    with pytest.raises(FitOutOfMemory, match=r"MB, and may take \d+, \[learning\] memory_mb"):
        asyncio.run(run(endless(job), tmp_path / "scratch", limits=Limits(memory_mb=60)))
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_base_model_that_cannot_be_used_is_named(job: Job, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    job = replace(job, recipe=replace(job.recipe, base_model=str(tmp_path / "empty")))
    with pytest.raises(FitFailed, match=r"model\.safetensors is missing"):
        asyncio.run(run(job, tmp_path / "scratch"))


def test_secrets_of_the_agent_stay_with_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLECALL_CONNECTORS__HELPDESK__SECRET", "s3cret")
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    offline = environment(Recipe(threads=2))
    assert "s3cret" not in offline.values()
    assert "HF_TOKEN" not in offline
    assert (offline["HF_HUB_OFFLINE"], offline["OMP_NUM_THREADS"]) == ("1", "2")
    assert environment(Recipe(base_model="BAAI/bge-small-en-v1.5"))["HF_TOKEN"] == "hf_x"


def test_whoever_stops_watching_leaves_no_process_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On other systems, and on Linux when the watched process has just ended, `ps` is asked."""
    listing, began = tmp_path / "ps", tmp_path / "began"
    listing.write_text(f"#!/bin/sh\necho $$ > {began}.new\nmv {began}.new {began}\nexec sleep 600\n")
    listing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    async def watch() -> None:
        watching = asyncio.create_task(child.resident_mb(2**22 + 1))
        await until(began.exists)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching

    asyncio.run(watch())
    with pytest.raises(ProcessLookupError):
        os.kill(int(began.read_text()), 0)
