"""A helpdesk restored from a backup gives ticket numbers again: nothing of the old ticket is joined to the new one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlmodel import Session, select

from agent.checks.finding import Level
from agent.checks.restored import restored as check
from agent.core import Parts
from agent.desk.fallen_back import fell_back
from agent.domain import moved_key, number_key
from agent.store import inbox, reuse, tickets
from agent.store.connector_data import KEYS
from agent.store.tables import Ticket as StoredTicket
from agent.store.tables import utcnow
from agent.work.poll import poll_once
from connectors.base import Poll
from connectors.events import Event, Kind, Message, Ticket
from connectors.sights import sight
from tests.agent.keeping.planted import TICKET, plant
from tests.desk import START, Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio


@pytest.fixture
def parts(parts_for: Callable[..., Parts]) -> Parts:
    return parts_for(work={"settle_seconds": 0.2, "poll_seconds": 0.05}, triage={"silent_below": 0.2})


def filed_again(desk: Desk, subject: str) -> Event:
    """File another ticket under number 1, a day later."""
    ticket = Ticket("1", subject, "", created_at=START + timedelta(days=1))
    desk.tickets["1"] = ticket
    event = Event(Kind.CREATED, "1", "ticket-1", ticket.created_at, ticket=ticket)
    desk.events[event.kind, event.delivery_id] = event
    return event


def labels(server: Running) -> dict[str, tuple[str, ...]]:
    """Return the reviewed roles by the text that they teach."""
    catalogue = server.parts.classifier.catalogue
    return {e.subject: e.roles for e in server.parts.database.call(tickets.reviewed, catalogue)}


@pytest.mark.parametrize("subject", ["Socket sparks", "VPN is down"], ids=["another subject", "the same subject"])
async def test_the_new_ticket_gets_a_comment_and_its_own_label(parts: Parts, desk: Desk, subject: str) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"), desk.reply("1", "/role Network"))
        await server.idle()
        answer = await server.deliver(filed_again(desk, subject))
        await server.idle()
        assert answer.status_code == 202
        assert len(desk.comments("1")) == 1
        assert labels(server) == {"VPN is down": ("Network",)}
        event = desk.reply("1", "/role Plumbing")
        desk.change("1", messages=(*desk.comments("1"), replace(event.message, created_at=START + timedelta(days=2))))
        await server.deliver(event)
        await server.idle()
        reviewed = server.parts.database.call(tickets.reviewed, server.parts.classifier.catalogue)
        assert [(e.ticket_key, e.subject, e.roles) for e in reviewed if e.ticket_key == "desk:1"] == [
            ("desk:1", subject, ("Plumbing & HVAC",))
        ]
        assert sorted(e.roles for e in reviewed) == [("Network",), ("Plumbing & HVAC",)]
        said = (await server.client.get("/metrics")).text
    assert 'rolecall_reused_ticket_numbers_total{source="desk"} 1.0' in said


def test_all_that_is_kept_by_ticket_moves_with_the_old_one(parts: Parts) -> None:
    parts.database.call(plant)
    new = StoredTicket(key=TICKET, subject="another", body="", filed_at=utcnow())
    parts.database.call(reuse.take_number, new)

    def kept(session: Session) -> dict[str, set[str]]:
        return {table.__name__: set(session.exec(select(key))) for table, key in KEYS}

    moved = f"{TICKET}~20260105T000000"
    both = ("Ticket", "TicketWords", "Review")  # the new one, its words, and that nobody has said of it yet
    here = {table: {TICKET, moved} for table in both}
    assert parts.database.call(kept) == {table.__name__: {moved} for table, _ in KEYS} | here


@pytest.mark.parametrize("year", [1, 999, 2026, 9999])
def test_a_key_that_was_moved_names_its_number(year: int) -> None:
    moved = moved_key("desk:A~1", datetime(year, 1, 5, tzinfo=UTC))
    assert (moved != "desk:A~1", number_key(moved), number_key("desk:A~1")) == (True, "desk:A~1", "desk:A~1")


async def test_an_event_about_the_old_ticket_touches_nothing_of_the_new_one(parts: Parts, desk: Desk) -> None:
    old = desk.create("VPN is down")
    desk.tickets["1"] = Ticket("1", "Socket sparks", "", created_at=START + timedelta(days=1))
    async with running(parts, desk) as server:
        await server.deliver(old)
        await server.idle()
        assert desk.posts == 0
        assert server.parts.database.call(tickets.last_decision, "desk:1") is None


async def test_what_the_backup_did_not_hold_is_no_edit_and_check_says_so(
    parts: Parts, desk: Desk, parts_for: Callable[..., Parts]
) -> None:
    async with running(parts, desk) as server:
        note = desk.create("VPN is down"), desk.reply("1", "/role Electrician")
        await server.deliver(*note)
        await server.idle()
        await server.look()

    class Restored(Desk):
        async def poll(self, watermark: str | None, *_: object) -> Poll:
            return Poll([], "0", tickets=tuple(self.tickets.values()), restored=True)

    restored = Restored(tickets=dict(desk.tickets))
    restored.change("1", messages=(), subject="VPN is do")
    database = parts_for().database
    installation = SimpleNamespace(database=database, settings=SimpleNamespace(connectors=["desk"]))
    assert list(check(installation)) == []
    assert await poll_once(restored, database, asyncio.Event()) == 1
    (again,) = database.call(inbox.claim, 9, utcnow())
    assert again.event.kind is Kind.RESUMED  # our comment comes again, and nothing else
    assert database.call(tickets.review_that_counts, "desk:1").roles == ["Electrician"]
    (finding,) = check(installation)
    assert (finding.level, finding.subject) == (Level.WARN, "desk")
    assert "restored from a backup" in finding.text


@dataclass
class Numbered(Desk):
    """A desk whose messages have numbers that grow, as most systems'; backups can be put back."""

    numbers: int = 0

    def _store(self, number: str, text: str, author: str | None, internal: bool) -> Message:
        stored, self.numbers = super()._store(number, text, author, internal), self.numbers + 1
        numbered = replace(stored, id=str(self.numbers))
        self.change(number, messages=(*self.tickets[number].messages[:-1], numbered))
        return numbered


@pytest.mark.parametrize(
    ("later", "undone"),
    [
        (["/role Electrician", "/role Plumbing"], False),
        (["/role Electrician", None], True),  # the control: one deletion on one ticket is somebody's
    ],
)
async def test_a_backup_put_back_before_anything_new_came_undoes_nothing_and_our_comments_come_again(
    parts: Parts, later: list[str | None], undone: bool
) -> None:
    desk = Numbered()
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"), desk.create("VPN is down"), desk.create("VPN is down"))
        await server.idle()
        backup = dict(desk.tickets)
        for number, text in enumerate(later, 1):
            if text is not None:
                await server.deliver(desk.reply(str(number), text))
                await server.idle()
        await server.deliver(*([] if undone else [desk.create("VPN is down")]))
        await server.idle()
        await server.look()
        desk.tickets = dict(backup)
        if not undone:
            desk.change("3", messages=())  # the backup is older than this comment
            desk.change("2", messages=(*backup["2"].messages[:1],))
        await server.look()
        await server.look()
        review = server.parts.database.call(tickets.review_that_counts, "desk:1")
        assert (review is None) is undone
        installation = SimpleNamespace(database=parts.database, settings=SimpleNamespace(connectors=["desk"]))
        assert bool(list(check(installation))) is not undone
        assert [len(desk.comments(number)) for number in "123"] == [1, 1, 1]
        expected = "I took the last answer back" if undone else "**Role: Electrician**"
        assert expected in desk.comments("1")[0].text


def shown(number: int, *messages: int) -> Ticket:
    return Ticket(str(number), "s", "b", messages=tuple(Message(str(m), "kim", "x") for m in messages))


@pytest.mark.parametrize(
    ("now", "gone", "restored"),
    [
        ([shown(1, 11), shown(2, 12)], [], True),
        ([shown(1, 11), shown(2, 12, 14)], [], False),  # one note was deleted
        ([shown(1, 11), shown(2, 12, 14)], [3], False),  # with a ticket: the other's note is newer
        ([shown(1, 11, 13), shown(2, 12)], [3], True),  # with a ticket that was filed since
        ([shown(1, 11, 13), shown(2, 12)], [], False),
        ([shown(1, 11, 15), shown(2, 12)], [], False),  # something newer is there
        ([shown(1, 11, 13), shown(2, 12, 14)], [3], False),
    ],
)
def test_what_is_missing_tells_a_backup_from_a_deletion(
    parts: Parts, now: list[Ticket], gone: list[int], restored: bool
) -> None:
    def known(session: Session) -> bool:
        for ticket in (shown(1, 11, 13), shown(2, 12, 14), *(shown(number) for number in gone)):
            seen = asdict(sight(ticket, "bot"))
            session.add(StoredTicket(key=f"desk:{ticket.id}", subject="", body="", filed_at=utcnow(), seen=seen))
        session.flush()
        return fell_back(session, "desk", now, utcnow())

    assert parts.database.call(known) is restored
