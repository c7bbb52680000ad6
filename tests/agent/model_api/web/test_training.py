"""Jobs: kept before they are acknowledged, done one at a time, and at an end whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select

from agent.core import Parts
from agent.store import jobs
from agent.store.database import Database
from agent.store.tables import ModelJob, utcnow
from tests.agent.locking import impatient, locked
from tests.agent.model_api.web.asking import EXAMPLES, KEY, body, ended
from tests.agent.model_api.web.conftest import Serve
from tests.desk import Desk
from tests.patience import PATIENCE_SECONDS
from tests.serving_app import running

pytestmark = pytest.mark.anyio


async def test_a_job_goes_from_pending_to_completed_its_model_answers_and_its_texts_are_forgotten(
    api_parts: Callable[..., Parts], desk: Desk
) -> None:
    parts = api_parts()
    async with running(parts, desk) as server:
        server.client.headers["X-API-Key"] = KEY
        job = (await server.client.post("/v1/train", json=body())).json()
        assert job["status"] == "pending"
        done = await ended(server.client, job["job_id"])
        assert (done["status"], done["error"]) == ("completed", None)
        model = (await server.client.get("/v1/models/intents")).json()
        assert (model["version"], model["num_examples"]) == (done["model_version"], len(EXAMPLES))
        assert parts.database.call(jobs.open_jobs) == (set(), 0)
        assert parts.database.call(lambda session: session.exec(select(ModelJob.request)).all()) == [""]


async def test_a_repeated_idempotency_key_starts_nothing_new(serve: Serve) -> None:
    async with serve() as client:
        key = {"Idempotency-Key": "order 66"}
        first = await client.post("/v1/train", json=body(), headers=key)
        again = await client.post("/v1/train", json=body(), headers=key)
        other = await client.post("/v1/train", json=body(seed=1), headers=key)
        assert first.json()["job_id"] == again.json()["job_id"]
        assert other.status_code == 409
        assert len((await client.get("/v1/jobs")).json()) == 1
        await client.delete(f"/v1/jobs/{first.json()['job_id']}")


async def test_jobs_run_one_at_a_time_and_can_be_cancelled(serve: Serve) -> None:
    async with serve(max_open_jobs=10) as client:
        slow = body(trainer="contrastive", num_iterations=500, batch_size=1)
        accepted = [(await client.post("/v1/train", json=slow | {"model_name": f"m{n}"})).json() for n in range(10)]
        refused = await client.post("/v1/train", json=slow)
        assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
        first, *waiting = [job["job_id"] for job in accepted]
        with anyio.fail_after(PATIENCE_SECONDS):
            while (await client.get(f"/v1/jobs/{first}")).json()["progress"] is None:
                await anyio.sleep(0.05)
        states = [job["status"] for job in (await client.get("/v1/jobs")).json()]
        assert states == ["pending"] * 9 + ["running"]
        for job_id in (*waiting, first):
            cancelled = (await client.delete(f"/v1/jobs/{job_id}")).json()
            assert (cancelled["status"], cancelled["error"]) == ("failed", "cancelled by request")
        assert (await client.delete(f"/v1/jobs/{first}")).status_code == 409
        assert (await client.get("/v1/models")).json() == []


HOUR = timedelta(hours=1)


def kept(parts: Parts) -> Database:
    """Return the database of an installation, with one job in it."""
    parts.database.call(
        jobs.add, ModelJob(id="j", model_name="m", created_at=utcnow(), digest="d", request="{}"), most_open=1
    )
    return parts.database


def test_the_texts_of_a_job_are_read_by_whoever_trains_it_and_by_nobody_else(api_parts: Callable[..., Parts]) -> None:
    database = kept(api_parts())
    found = [database.call(jobs.get, "j"), *database.call(jobs.newest, 10)]
    for job in found:
        assert job is not None
        with pytest.raises(SQLAlchemyError):
            assert job.request
    claimed = database.call(jobs.claim, "me")
    assert claimed is not None
    assert claimed.request == "{}"


def test_a_job_that_was_under_way_at_every_stop_fails_with_the_reason(api_parts: Callable[..., Parts]) -> None:
    database = kept(api_parts())
    for _ in range(jobs.MAX_STARTS):
        assert database.call(jobs.claim, "me") is not None
        database.call(jobs.recover, "me", HOUR)
    failed = database.call(jobs.get, "j")
    assert failed is not None
    assert (failed.state, failed.error) == ("failed", "the server stopped 3 times while this was under way")
    assert database.call(jobs.claim, "me") is None


@pytest.mark.parametrize(("longest", "state"), [(HOUR, "running"), (-HOUR, "failed")])
def test_a_job_of_another_server_is_left_to_it_until_it_is_overdue(
    api_parts: Callable[..., Parts], longest: timedelta, state: str
) -> None:
    database = kept(api_parts())
    database.call(jobs.claim, "another")
    assert database.call(jobs.recover, "me", longest) == []
    found = database.call(jobs.get, "j")
    assert found is not None
    assert found.state == state
    assert database.call(jobs.claim, "me") is None


async def test_a_job_that_takes_too_long_fails_with_the_reason(serve: Serve) -> None:
    await prove_that_it_fails(serve, "longer than 0 s, [api] job_timeout_seconds", job_timeout_seconds=0.5)


async def prove_that_it_fails(serve: Serve, reason: str, **limit: float) -> None:
    """Train with a limit that the training exceeds, and look for the reason in its job."""
    async with serve(**limit) as client:
        job = (await client.post("/v1/train", json=body(trainer="setfit", num_iterations=500))).json()
        done = await ended(client, job["job_id"])
        assert done["status"] == "failed"
        assert reason in done["error"]


async def test_only_allowed_base_models_are_used_and_never_their_pickles(serve: Serve, tmp_path: Path) -> None:
    poisoned = tmp_path / "poisoned"
    poisoned.mkdir()
    (poisoned / "config.json").write_text('{"model_type": "bert"}')
    (poisoned / "tokenizer.json").write_text("{}")
    # a pickle that makes a file when it is loaded
    attack = f"cbuiltins\nopen\n(V{tmp_path / 'owned'}\nVw\ntR."
    for name in ("pytorch_model.bin", "model_head.pkl"):
        (poisoned / name).write_bytes(attack.encode())
    async with serve(base_models=(str(poisoned),)) as client:
        for other in ("evil/remote-code", "../poisoned", str(tmp_path), "https://example.org/m"):
            refused = await client.post("/v1/train", json=body(base_model=other))
            assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "base_model"])
        done = await ended(client, (await client.post("/v1/train", json=body())).json()["job_id"])
        assert done["status"] == "failed"
        assert "model.safetensors is missing" in done["error"]
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "examples",
    [
        [],
        [{"text": "a", "label": "x"}],
        [{"text": "a", "label": "x"}, {"text": "b", "label": "x"}],
        [{"text": "a", "label": "x"}, {"text": "", "label": "y"}],
        [{"text": "a", "label": "x"}, {"text": "b"}],
        [{"text": "a", "label": "x", "labels": ["y"]}, {"text": "b", "label": "y"}],
    ],
)
async def test_examples_that_nothing_can_be_learnt_from_are_refused(serve: Serve, examples: list[object]) -> None:
    async with serve() as client:
        assert (await client.post("/v1/train", json=body(examples=examples))).status_code == 422
        assert (await client.get("/v1/jobs")).json() == []


async def test_a_locked_database_delays_jobs_and_refuses_new_ones_for_now(
    api_parts: Callable[..., Parts], desk: Desk
) -> None:
    parts = impatient(api_parts())
    async with running(parts, desk) as server:
        server.client.headers["X-API-Key"] = KEY
        job = (await server.client.post("/v1/train", json=body())).json()
        with locked(parts):
            refused = await server.client.post("/v1/train", json=body(seed=1))
            await anyio.sleep(3)  # the job would have begun
        done = await ended(server.client, job["job_id"])
        new = await server.client.post("/v1/train", json=body(seed=1))
    assert (refused.status_code, refused.headers.get("Retry-After")) == (503, "5")
    assert "INSERT" not in refused.text
    assert done["status"] == "completed"
    assert new.status_code == 200
