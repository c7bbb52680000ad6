"""A correction may follow another one that is still under way: the late one must not have the last word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from agent.core import Parts
from agent.notes.speak import Said, Speaker
from agent.store import comments
from agent.store.tables import utcnow
from connectors.errors import Permanent, Transient
from tests.desk import Desk, note

pytestmark = pytest.mark.anyio
SETTLE = timedelta(seconds=0.5)


@pytest.fixture
async def speaker(parts_for: Callable[..., Parts], desk: Desk) -> Speaker:
    desk.create("VPN is down")
    speaker = Speaker(parts_for().database, b"key", settle=SETTLE)
    assert await speaker.say(desk, desk.tickets["1"], note("Network")) is Said.POSTED
    return speaker


async def test_an_edit_of_a_dead_process_is_waited_for(speaker: Speaker, desk: Desk) -> None:
    speaker.database.call(comments.attempt, "desk:1", utcnow())
    successor = Speaker(speaker.database, b"key", settle=SETTLE)
    with pytest.raises(Transient, match="under way"):
        await successor.say(desk, desk.tickets["1"], note("Plumbing"))
    await asyncio.sleep(SETTLE.total_seconds())
    assert await successor.say(desk, desk.tickets["1"], note("Plumbing")) is Said.EDITED
    assert await successor.say(desk, desk.tickets["1"], note("Electrician")) is Said.EDITED


async def test_a_clock_that_is_set_back_hides_no_attempt(speaker: Speaker, desk: Desk) -> None:
    speaker.database.call(comments.attempt, "desk:1", utcnow() - timedelta(hours=1))
    with pytest.raises(Transient, match="under way"):
        await Speaker(speaker.database, b"key", settle=SETTLE).say(desk, desk.tickets["1"], note("Plumbing"))


async def test_an_edit_that_was_refused_is_not_waited_for(
    speaker: Speaker, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise Permanent("no right")

    with monkeypatch.context() as refusing:
        refusing.setattr(desk, "edit_comment", refuse)
        with pytest.raises(Permanent):
            await speaker.say(desk, desk.tickets["1"], note("Plumbing"))
    assert (
        await Speaker(speaker.database, b"key", settle=SETTLE).say(desk, desk.tickets["1"], note("Plumbing"))
        is Said.EDITED
    )
