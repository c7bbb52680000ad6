"""Once a day: what was finished long ago is forgotten, without being taken for news when it comes again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from agent.store import dead_letters, inbox
from agent.store.arrivals import Arrival, accept, keep
from agent.store.database import Database
from agent.store.tables import Inbox, utcnow
from agent.work import schedule
from connectors.events import Event, Kind

pytestmark = pytest.mark.anyio
LONG_AGO = utcnow() - timedelta(days=31)
MONTH = timedelta(days=30)


def arrival(name: str) -> Arrival:
    return Arrival("desk", Event(Kind.COMMENTED, name, name), b"as received", LONG_AGO)


def texts(session: Session) -> dict[str, bytes]:
    return {row.delivery_id: row.raw for row in session.exec(select(Inbox)) if row.event}


async def test_only_what_was_finished_long_ago_is_forgotten(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "BATCH", 2)
    names = ["done", "done too", "done at last", "dead", "dropped", "done today", "waiting"]
    database.call(accept, [arrival(name) for name in names])
    jobs = {seq: job for seq in range(1, 7) if (job := database.call(inbox.take, seq))}
    for seq in (1, 2, 3):
        database.call(inbox.finish, jobs[seq], LONG_AGO)
    database.call(inbox.finish, jobs[6], utcnow())
    for seq in (4, 5):
        database.call(inbox.bury, jobs[seq], "no right", LONG_AGO)
    database.call(dead_letters.drop, 5)
    assert await schedule.forget_finished(database, MONTH) == 4
    assert database.call(texts) == dict.fromkeys(["dead", "done today", "waiting"], b"as received")
    assert await schedule.forget_finished(database, MONTH) == 0
    assert keep(database, [arrival("done"), arrival("new")]) == [False, True]
