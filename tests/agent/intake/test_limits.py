"""What is refused for now says when to come again, and only where that loses nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from agent.config.settings import IntakeSettings, Settings
from agent.core import Parts
from agent.intake.rate import Bucket
from tests.desk import Desk
from tests.patience import PATIENCE_SECONDS
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio


async def until_ready(server: Running, status: int) -> dict[str, str]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (answer := await server.client.get("/readyz")).status_code != status:
            await asyncio.sleep(0.02)
    state: dict[str, str] = answer.json()
    return state


@asynccontextmanager
async def stuck_writer(parts: Parts) -> AsyncIterator[None]:
    """Let no write begin for the length of a block, as a disk does that hangs."""
    gate = threading.Event()
    parts.database.submit(gate.wait)  # type: ignore[arg-type]
    try:
        yield
    finally:
        gate.set()


@pytest.mark.parametrize("retries", [True, False], ids=["sends again", "sends once"])
async def test_only_a_sender_that_sends_again_is_told_to_slow_down(
    parts_for: Callable[..., Parts], desk: Desk, retries: bool
) -> None:
    desk.sender_retries = retries
    parts = parts_for(intake={"rate_per_second": 0.001, "rate_burst": 2})
    async with running(parts, desk) as server:
        strangers = [await server.client.post("/hooks/desk/wrong", content=b"[]") for _ in range(5)]
        answers = [await server.deliver(desk.create("no light")) for _ in range(3)]
    assert {a.status_code for a in strangers} == {401}  # and they took nothing from the desk's rate
    assert [a.status_code for a in answers] == [202, 202, 429 if retries else 202]
    if retries:
        assert 900 < int(answers[2].headers["retry-after"]) <= 1000


def test_a_bucket_holds_a_burst_and_fills_up_again() -> None:
    bucket = Bucket(per_second=10, burst=3)
    assert [bucket.take(100.0) for _ in range(3)] == [0, 0, 0]
    assert bucket.take(100.0) == pytest.approx(0.1)
    assert bucket.take(100.0) == pytest.approx(0.1)  # a refusal takes nothing
    assert [bucket.take(100.15) > 0, bucket.take(100.15) > 0] == [False, True]
    assert [bucket.take(1000.0) > 0 for _ in range(4)] == [False, False, False, True]


async def test_a_disk_without_room_refuses_and_says_so(parts_for: Callable[..., Parts], desk: Desk) -> None:
    parts = parts_for(intake={"min_free_bytes": 2**60})
    async with running(parts, desk) as server:
        state = await until_ready(server, 503)
        answer = await server.deliver(desk.create("no light"))
        other = await server.client.post(f"/hooks/desk/{desk.secret}", content=b"[]")
        stranger = await server.client.post("/hooks/desk/wrong", content=b"[]")
    assert "MB free on the disk of" in state["reason"]
    assert (answer.status_code, answer.text) == (503, "cannot keep this now: the disk is nearly full\n")
    assert int(answer.headers["retry-after"]) > 0
    assert (other.status_code, stranger.status_code) == (200, 401)  # there is nothing to keep, nobody to tell


async def test_who_waits_too_long_keeps_others_from_waiting(parts_for: Callable[..., Parts], desk: Desk) -> None:
    parts = parts_for(intake={"max_waiting_seconds": 0.5})
    async with running(parts, desk) as server:
        async with stuck_writer(parts):
            first = asyncio.create_task(server.deliver(desk.create("no light")))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while "a webhook has waited" not in (await until_ready(server, 503))["reason"]:
                    await asyncio.sleep(0.02)
            second = await server.deliver(desk.create("no water"))
        assert (await first).status_code == 202
        await until_ready(server, 200)
        third = await server.deliver(desk.create("no heat"))
    assert (second.status_code, second.text) == (503, "cannot keep this now: the disk is too slow\n")
    assert int(second.headers["retry-after"]) > 0
    assert third.status_code == 202


async def test_a_writer_that_is_stuck_is_seen_without_any_webhook(parts_for: Callable[..., Parts], desk: Desk) -> None:
    parts = parts_for(intake={"max_waiting_seconds": 0.5})
    async with running(parts, desk) as server:
        async with stuck_writer(parts):
            state = await until_ready(server, 503)
        await until_ready(server, 200)
    assert state["reason"] == "the database has taken longer than 0.5 s for a write"


async def test_more_than_may_wait_are_refused(parts_for: Callable[..., Parts], desk: Desk) -> None:
    parts = parts_for(intake={"max_waiting": 3})
    async with running(parts, desk) as server:
        async with stuck_writer(parts):
            kept = [asyncio.create_task(server.deliver(desk.create("no light"))) for _ in range(3)]
            refused: httpx.Response | None = None
            async with asyncio.timeout(PATIENCE_SECONDS):
                while refused is None:
                    more = asyncio.create_task(server.deliver(desk.create("no water")))
                    await asyncio.wait({more}, timeout=0.1)
                    refused = more.result() if more.done() else kept.append(more)
        answers = await asyncio.gather(*kept)
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert {a.status_code for a in answers} == {202}


@pytest.mark.parametrize(
    ("name", "value"),
    [("rate_per_second", 0), ("rate_burst", 0), ("min_free_bytes", -1), ("max_waiting_seconds", 0), ("max_waiting", 0)],
)
def test_a_limit_that_makes_no_sense_is_named(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"intake\.{name}\s+Input should be greater than"):
        Settings.model_validate({"intake": {name: value}})
    assert getattr(IntakeSettings(), name) > value
