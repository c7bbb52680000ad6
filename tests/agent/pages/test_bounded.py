"""What is read for a page stays the same however much there is: of tickets in a loop, of those that others see."""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DataError
from sqlmodel import Session

from agent.domain import Strength, Via
from agent.pages import kept, standing
from agent.pages.signing import audit
from agent.pages.standing import drawn, filed_before, of_ticket
from agent.programs import figures
from agent.store import finding
from agent.store.database import Database
from agent.store.limits import Limit, within
from agent.store.tables import Decision, Inbox, Review, Ticket, utcnow

LIMITS = (Limit((), ("a", "b", "")), Limit(("x", "y")), Limit(("x", "z"), ("b", "a")), Limit((), ("gone",)), None)


def test_the_latest_of_several_groups_or_helpdesks_come_page_by_page_in_one_order(database: Database) -> None:
    now = utcnow().replace(microsecond=0)
    tickets = [
        Ticket(key=f"{'xyz'[n % 3]}:{n:02}", subject="", body="", group="abc"[n % 4 :][:1] or None,
               filed_at=now - timedelta(seconds=n % 7), drawn=n % 2 == 0)
        for n in range(60)
    ]  # fmt: skip
    database.call(lambda session: session.add_all(tickets))
    for limit in LIMITS:
        asked = limit or Limit()
        seen = [
            ticket
            for ticket in tickets
            if (not asked.groups or ticket.group in asked.groups)
            and (not asked.helpdesks or ticket.key[0] in asked.helpdesks)
        ]
        expected = [t.key for t in sorted(seen, key=lambda t: (t.filed_at, t.key), reverse=True)]
        found: list[str] = []
        at, key = None, ""
        while page := database.call(within(limit, filed_before), 7, at, key):
            found += [ticket.key for ticket in page]
            at, key = page[-1].filed_at, page[-1].key
        assert found == expected, limit
        checks = database.call(within(limit, drawn), 60)
        assert [ticket.key for ticket in checks] == [key for key in expected if int(key[2:]) % 2 == 0], limit


def test_of_a_ticket_in_a_loop_what_counts_is_read_and_no_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "OF_A_KIND", 2)
    database.call(loop)
    read: Counter[str] = Counter()

    def count(session: Session) -> Any:
        event.listen(session, "loaded_as_persistent", lambda _, row: read.update([type(row).__name__]))
        return of_ticket(session, "desk:1")

    found = database.call(count)
    assert (found.open_event.delivery_id, found.dead_event.delivery_id) == ("waiting 0", "dead 8")
    assert (found.review.origin, found.answer.origin) == ("said 8", "said 8"), "words count more than later closures"
    assert (found.asked, found.disputed) == (True, True)
    assert read == {"Ticket": 1, "Inbox": 2, "Review": 5}, "of 9 waiting, 9 set aside and 19 reviews"


def loop(session: Session) -> None:
    """Store a ticket that was closed and opened, said something of, and written to again and again."""
    now = utcnow()
    session.add(Ticket(key="desk:1", subject="", body="", filed_at=now))
    for number in range(9):
        at, more = now + timedelta(seconds=number), {"received_at": now, "due_at": now, "event": "", "raw": b""}
        for state in ("waiting", "dead"):
            name = f"{state} {number}"
            session.add(
                Inbox(source="desk", delivery_id=name, kind="commented", ticket_key="desk:1", content_hash=name,
                      state=state, **more)
            )  # fmt: skip
        for origin, strength, via, later in (("said", Strength.CONFIRMED, Via.COMMAND, 0),
                                             ("closed", Strength.CLOSED, Via.CLOSURE, 60)):  # fmt: skip
            session.add(
                Review(ticket_key="desk:1", roles=[f"Role {number}"], strength=strength, via=via, actor=f"{number}",
                       origin=f"{origin} {number}", at=at + timedelta(seconds=later))
            )  # fmt: skip
    session.add(Review(ticket_key="desk:1", roles=[], strength=0, via=Via.PAGE, origin="unclear", at=now))


def test_the_decisions_that_a_limited_account_sees_are_all_found_few_or_many(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of few tickets at once; of many in steps through everybody's, of which a page may hold none."""
    now = utcnow()

    def decided(session: Session) -> None:
        for n in range(20):
            session.add(Ticket(key=f"desk:{n}", subject="", body="", group="rare" if n % 8 == 3 else "x", filed_at=now))
            session.flush()
            session.add(
                Decision(id=n + 1, ticket_key=f"desk:{n}", at=now, outcome="none", roles=[], reason="", detail={},
                         rules_version="1")
            )  # fmt: skip

    database.call(decided)
    monkeypatch.setattr(figures, "LOOKED_AT", 3)
    pages = {
        (Limit((), ("rare",)), 1_000): [[20, 12], [4]],
        (Limit((), ("rare",)), 2): [[20], [], [12], [], [], [4], []],
        (Limit((), ("gone",)), 0): [[]],
        (None, 0): [[20, 19], [18, 17]],
    }
    for (limit, few), expected in pages.items():
        monkeypatch.setattr(finding, "FEW", few)
        found, before = [], None
        while (not found or before is not None) and len(found) < len(expected):
            rows, unread = database.call(within(limit, figures.latest), None, before, 2)
            found.append([row.id for row in rows])
            before = rows[-1].id if len(rows) == 2 else unread
        assert found == expected, (limit, few)
        assert limit is None or before is None


def test_a_number_that_is_too_great_for_a_column_is_the_fault_of_who_asks(database: Database) -> None:
    """PostgreSQL takes it for no number; pages and programs answer 400 (tests/agent/programs/test_calls.py)."""
    for asked in (10**9, 10**17):
        refused = pytest.raises(DataError) if database.clustered and asked > 2**31 else contextlib.nullcontext()
        with refused:
            assert database.call(audit.latest, 5, asked) == []


@pytest.mark.anyio
async def test_what_was_dear_to_make_is_kept_by_its_name_and_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    site: Any = SimpleNamespace(kept={"provider": "none of ours"})
    clock, made = [0.0], []

    async def asked(name: str) -> str:
        async def make() -> str:
            clock[0] += 1.0
            made.append(name)
            return f"{name} {len(made)}"

        return await kept.kept(site, name, make)

    monkeypatch.setattr(kept.time, "monotonic", lambda: clock[0])
    assert [await asked(name) for name in ("all", "all", "few", "all")] == ["all 1", "all 1", "few 2", "all 1"]
    clock[0] += kept.TIMES - 0.5
    assert await asked("week") == "week 3"
    assert set(site.kept) == {"provider", "few", "week"}, "all but what has run out"
    assert await asked("all") == "all 4"
