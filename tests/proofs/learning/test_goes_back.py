"""A model that turns out worse on live tickets gives way to its predecessor, at the next night, by itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlmodel import select

from agent.core import Parts
from agent.learning.train import Trainer
from agent.serving import artefact
from agent.serving.artefact import Head
from agent.serving.registry import Registry
from agent.store.tables import Training
from agent.triage.fusion import WEIGHTS_ARRAY
from tests.desk import Desk
from tests.invented_desk import trainer_for
from tests.serving_app import running

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("trained")]

SECOND = "20260104T000000Z-second"
BEFORE_THE_DESK_OPENS = datetime(2026, 1, 4, tzinfo=UTC)
LIVE = [
    ("The VPN drops", "vpn tunnel is lost every few minutes, no network at home", "Network"),
    ("Wi-Fi gone", "no wireless network in the meeting room on the second floor", "Network"),
    ("Network cable", "the network socket behind my desk has no link", "Network"),
    ("Cannot reach the server", "the network share times out, vpn is connected", "Network"),
    ("Slow internet", "the network is slow for everybody on this floor", "Network"),
    ("Tap drips", "the tap in the kitchen drips and the sink is full of water", "Plumbing & HVAC"),
    ("Toilet blocked", "water runs over in the toilet on floor 1", "Plumbing & HVAC"),
    ("Too cold", "the heating in our office stays cold, the radiator makes noise", "Plumbing & HVAC"),
    ("Water on the floor", "a pipe leaks under the sink in the kitchen", "Plumbing & HVAC"),
    ("Air conditioning", "the air conditioning blows warm air since yesterday", "Plumbing & HVAC"),
    ("Light flickers", "the ceiling lamp flickers and the socket has no power", "Electrician"),
    ("No power", "the sockets in room 12 have no electricity, the fuse blew", "Electrician"),
    ("Lamp out", "the light in the stairwell is broken, it needs a new tube", "Electrician"),
    ("Door does not lock", "the lock of our front door is stuck and my key does not turn", "Locksmith & Security"),
    ("Lost key", "I lost the key of my office door, please change the lock", "Locksmith & Security"),
    ("Badge reader", "the badge reader at the entrance does not open the door", "Locksmith & Security"),
]


def put_second(parts: Parts, registry: Registry, *, worse: bool) -> None:
    """Let a second version serve, made before the desk's first ticket: the first one's twin, or one without sense.

    The worse one hears neither rules nor memory, and its head takes every role for another.
    """
    first = artefact.read(registry.folder(registry.versions()[0].version), registry.encoders)
    arrays, head = dict(first.calibration), first.head
    if worse:
        arrays[WEIGHTS_ARRAY] = np.array([1.0, 0.0, 0.0, 0.0, 0.0, 4.0], dtype=np.float32)
        head = Head(np.roll(head.weights, 1, axis=0), np.roll(head.bias, 1))
    manifest = first.manifest.model_copy(update={"version": SECOND, "created_at": BEFORE_THE_DESK_OPENS})
    artefact.write(registry.folder(SECOND), manifest, head, arrays, first.encoder)
    registry.activate(SECOND, "for the test")
    parts.follow()


async def live_through(parts: Parts, desk: Desk) -> None:
    """File the live tickets, and let staff name the right role of each."""
    async with running(parts, desk) as server:
        for subject, body, role in LIVE:
            event = desk.create(subject, body)
            await server.deliver(event)
            await server.idle()
            await server.deliver(desk.reply(event.ticket_id, f"/role {role}"))
            await server.idle()


async def given_up(trainer: Trainer) -> None:
    """Begin a training and give it up in its process: what comes before is done."""
    begun = asyncio.Event()
    task = asyncio.create_task(trainer.train("nightly", lambda step: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def night(parts: Parts, desk: Desk, *, worse: bool) -> tuple[str, Registry, list[Training]]:
    """Train after live tickets; return the first version, the registry and the ledger.

    The control's training is given up after the look back, which is all that it is about.
    """
    registry = Registry(parts.directory.models, parts.directory.encoders)
    (first,) = (manifest.version for manifest in registry.versions())
    put_second(parts, registry, worse=worse)
    await live_through(parts, desk)
    if worse:
        await trainer_for(parts).train("nightly")
    else:
        await given_up(trainer_for(parts))
    ledger = list(parts.database.call(lambda session: session.exec(select(Training)).all()))
    return first, registry, ledger


async def test_a_worse_model_goes_and_its_predecessor_serves_again(trained: Parts, desk: Desk) -> None:
    first, registry, ledger = await night(trained, desk, worse=True)
    moves = [(move.kind, move.version) for move in registry.history()]
    assert moves[:3] == [("activate", first), ("activate", SECOND), ("rollback", first)]
    assert "on live tickets the predecessor alone was right" in registry.history()[2].why
    assert [run.trigger for run in ledger] == ["tests", "nightly"]
    third = ledger[1].version if ledger[1].outcome == "promoted" else first
    active = registry.active()
    assert active is not None
    assert active.version == third
    assert SECOND not in (active.version, active.predecessor)


async def test_a_model_that_is_no_worse_stays(trained: Parts, desk: Desk) -> None:
    """Control: the same tickets, and a second version that answers them as the first does."""
    _, registry, ledger = await night(trained, desk, worse=False)
    assert "rollback" not in [move.kind for move in registry.history()]
    active = registry.active()
    assert active is not None
    assert SECOND in (active.version, active.predecessor)
    assert [run.finished_at is not None for run in ledger] == [True, True]
