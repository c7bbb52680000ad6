"""An account that sees some helpdesks and groups only: nothing else's tickets are listed, counted, found or told."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import Session, func, select

import agent
from agent.core import Parts
from agent.errors import BadInput
from agent.pages.signing import users
from agent.pages.signing.rights import Rights
from agent.pages.standing import drawn, filed_before
from agent.store import finding, limits
from agent.store.limits import Limit, NotLimited, within
from agent.store.people import Audit, User
from agent.store.search import TicketWords, sought
from agent.store.tables import Review, Ticket, utcnow
from tests.agent.pages.conftest import signed_in, words_of
from tests.agent.pages.limited import HIDDEN, OKAPI, SEEN, WALRUS, limit, plant, similar
from tests.desk import Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio

V, R, O = Rights.VIEWER, Rights.REVIEWER, Rights.OPERATOR  # noqa: E741 - as in the table
LISTS = (
    "/",
    "/?is=clear",
    "/review?order=disagrees",
    "/search?q=lamp",
    f"/search?q={OKAPI}",
    "/search?q=%232",
    "/status",
    f"/tickets/{SEEN.replace(':', '/')}",
)
"""Pages on which everybody else reads of the other ticket. Its comment is named on the last one."""


async def test_no_page_tells_of_a_ticket_that_somebody_does_not_see_nor_counts_it(
    parts: Parts, desk: Desk, monkeypatch: Any
) -> None:
    similar(monkeypatch)
    async with running(parts, desk) as server:
        parts.database.call(plant)
        kim, robin = signed_in(server, R, "Kim"), signed_in(server, R, "Robin")
        limit(parts, "Kim")
        for path in (*LISTS, "/review", "/review?order=check", "/rules", "/roles", "/models", "/report"):
            page = await kim.see(path)
            told = page.partition("<main")[2].replace(f'value="{OKAPI}"', "")  # what was asked for is repeated
            assert OKAPI not in told.replace(f"<title>{OKAPI}", ""), path
            assert "/tickets/desk/2" not in page, path
        for path in LISTS:
            assert {OKAPI, "/tickets/desk/2"} & set(re.findall(rf"{OKAPI}|/tickets/desk/2", await robin.see(path))), (
                path
            )
        for path in ("/", "/search?q=lamp", "/status", f"/search?q={WALRUS}", "/review"):
            assert WALRUS in await kim.see(path), f"the control: {path} is not empty"
        week = f"/report/{utcnow().astimezone():%G-W%V}"
        for path, hers, everybodys in (("/", "All 2", "All 6"), ("/search?q=lamp", "1 ticket ", "3 tickets"),
                                       ("/review", "2 tickets wait", "6 tickets wait")):  # fmt: skip
            assert hers in words_of(await kim.see(path)), path
            assert everybodys in words_of(await robin.see(path)), path
        for person, received in ((robin, "6"), (kim, "2"), (robin, "6")):
            assert f"suggested a role for {received} of {received} tickets" in words_of(await person.see(week)), (
                person.name
            )
        await an_operator_limits_accounts_on_their_page_and_the_log_says_so(server)


async def an_operator_limits_accounts_on_their_page_and_the_log_says_so(server: Running) -> None:
    boss, kim = signed_in(server, O, "Boss"), signed_in(server, R, "Lee")
    assert (await boss.post("/users", do="limit", name="Lee", helpdesk="desk", groups=" NET\n\n")).status_code == 303
    assert "desk · net" in words_of(await boss.see("/users")), "as the helpdesk spells it"
    assert OKAPI not in await kim.see("/")
    answer = await boss.post("/users", do="limit", name="Lee", groups="Nett")
    assert "No ticket is in these groups now: Nett" in words_of(answer.text)
    assert WALRUS not in await kim.see("/")
    for name in ("Boss", "nobody"):
        assert (await boss.post("/users", do="limit", name=name, groups="net")).status_code == 422
    assert (await boss.post("/users", do="limit", name="Lee", helpdesk="elsewhere")).status_code == 400
    assert (await boss.post("/users", do="rights", name="Lee", rights="operator")).status_code == 422
    assert (await boss.post("/users", do="limit", name="Lee")).status_code == 303
    assert OKAPI in await kim.see("/"), "the control"
    lines = server.parts.database.call(
        lambda s: [a.detail for a in s.exec(select(Audit)) if a.detail.get("user") == "Lee" and a.action == "limited"]
    )
    assert lines == [
        {"user": "Lee", "helpdesks": ["desk"], "groups": ["net"]},
        {"user": "Lee", "helpdesks": [], "groups": ["Nett"]},
        {"user": "Lee", "helpdesks": [], "groups": []},
    ]


@pytest.mark.parametrize(
    ("helpdesks", "groups", "seen"),
    [
        ((), (), {"desk:1", "desk:2", "other:3", "desk:4"}),
        (("desk",), (), {"desk:1", "desk:2", "desk:4"}),
        (("other",), (), {"other:3"}),
        ((), ("net",), {"desk:1", "other:3"}),
        ((), ("NET",), set()),
        (("desk",), ("net", "hardware"), {"desk:1", "desk:2"}),
        (("des", "other:3", "%", "desk:1"), (), set()),
    ],
)
def test_a_ticket_is_in_the_helpdesk_and_group_that_it_is_in_now(
    parts: Parts, helpdesks: tuple[str, ...], groups: tuple[str, ...], seen: set[str]
) -> None:
    """Where no group was ever named, it is in none."""
    parts.database.call(plant)
    parts.database.call(lambda s: s.add(Ticket(key="desk:4", subject="", body="", filed_at=utcnow())))
    asked = Limit(helpdesks, groups) if helpdesks or groups else None
    found = parts.database.call(within(asked, filed_before), 100)
    assert {ticket.key for ticket in found if not ticket.drawn} == seen


def test_every_statement_carries_the_limit_or_is_refused(parts: Parts) -> None:
    parts.database.call(plant)

    def ask(session: Session) -> Any:
        joined = select(Review).join(Ticket, Ticket.key == Review.ticket_key)  # type: ignore[arg-type]
        within_another = select(Review).where(Review.ticket_key.in_(select(Ticket.key)))  # type: ignore[attr-defined]
        return (
            session.get(Ticket, HIDDEN),
            session.exec(select(func.count()).select_from(Review)).one(),
            len(session.exec(joined).all()),
            len(session.exec(within_another).all()),
        )

    hidden, *counts = parts.database.call(within(Limit(("desk",), ("net",)), ask))
    assert (hidden, counts) == (None, [1, 1, 1])
    hidden, *counts = parts.database.call(within(None, ask))
    assert (hidden.key, counts) == (HIDDEN, [3, 3, 3]), "the control"
    for statement in (text("SELECT * FROM ticket"), select(text("1"))):
        with pytest.raises(NotLimited):
            parts.database.call(within(Limit(("desk",)), lambda session: session.execute(statement)))  # noqa: B023


INDEXES = {
    (filed_before, (), ("net",)): {"ix_ticket_group_now"},
    (filed_before, (), ("net", "lan")): {"ix_ticket_group_now"},
    (filed_before, ("desk",), ()): {"ix_ticket_helpdesk"},
    (filed_before, ("desk", "other"), ()): {"ix_ticket_helpdesk"},
    (filed_before, (), ()): {"ix_ticket_filed_at"},
    (drawn, (), ("net",)): {"ix_ticket_drawn_group"},
    (drawn, ("desk",), ()): {"ix_ticket_drawn_there"},
    (drawn, (), ()): {"ix_ticket_drawn_at"},
    (finding.of_few, ("desk",), ()): {"ix_ticket_helpdesk"},
    (finding.of_few, (), ("net",)): {"ix_ticket_group_now"},
}


def test_whoever_sees_few_tickets_is_led_to_them_by_an_index(parts: Parts) -> None:
    """Not past all others: each limit has its own, and without one there is another."""

    def plan(session: Session, query: Any) -> str:
        said: list[str] = []
        event.listen(session.connection(), "before_cursor_execute", lambda *given: said.append(str(given[2:4])))
        query(*(session, 200)[: 1 if query is finding.of_few else 2])
        asked = [ast.literal_eval(one) for one in said]
        plans = (session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values) for sql, values in asked)
        return str([row for plan in plans for row in plan])

    for (query, helpdesks, groups), indexes in INDEXES.items():
        limit = Limit(helpdesks, groups) if helpdesks or groups else None
        found = parts.database.call(within(limit, plan), query)
        assert set(re.findall(r"ix_ticket_\w+", found)) == indexes, (found, helpdesks, groups)
        assert "SORT" not in found


def test_reviews_and_words_are_looked_for_among_the_latest_and_the_rest_is_a_page_further(
    parts: Parts, monkeypatch: Any
) -> None:
    """An account with few tickets does not look through everybody's; without a limit, nothing is left out."""
    parts.database.call(plant)
    monkeypatch.setattr(limits, "LATEST", 2)
    kept = select(Review.ticket_key)
    latest = lambda session: list(session.exec(kept.where(limits.among_latest(session))))  # noqa: E731
    assert parts.database.call(latest) == [HIDDEN, "other:3"]
    assert parts.database.call(within(Limit(("other",)), latest)) == ["other:3"]
    assert parts.database.call(within(Limit((), ("net",)), latest)) == ["other:3"], "the one of desk:1 came before"
    monkeypatch.setattr(limits, "LATEST", 3)
    assert parts.database.call(within(Limit((), ("net",)), latest)) == [SEEN, "other:3"], "the control"

    lamps, theirs, lamp = sought("lamp"), Limit(("other",)), sought("lamp")[0]
    numbers = select(TicketWords.number, TicketWords.ticket_key)
    everybodys = parts.database.call(lambda session: list(session.exec(numbers)))
    hidden = {number for number, key in everybodys if not key.startswith("other:")}
    few = parts.database.call(within(theirs, finding.matching), lamps, 10)
    assert ([key for _, key in few.rows], few.unread) == (["other:3"], None)
    assert parts.database.call(within(theirs, finding.count), lamp) == (1, False)
    monkeypatch.setattr(finding, "FEW", 1)
    for first, through, counted, expected in (
        (1, 2, (0, True), [[], ["other:3"]]),
        (2, 4, (1, False), [["other:3"]]),
        (3, 9, (1, False), [["other:3"]]),
    ):
        monkeypatch.setattr(finding, "LOOKED_FIRST", first)
        monkeypatch.setattr(finding, "LOOKED_THROUGH", through)
        pages, before = [], None
        while not pages or before is not None:
            found = parts.database.call(within(theirs, finding.matching), lamps, 2, before)
            before = found.unread
            assert before not in hidden, "a number tells when a ticket was filed, and which one it is can be guessed"
            pages.append([key for _, key in found.rows])
        assert pages == expected
        assert parts.database.call(within(theirs, finding.count), lamp) == counted
    assert parts.database.call(finding.matching, lamps, 10).unread is None, "the control"
    monkeypatch.setattr(finding, "LOOKED_FIRST", 1)
    monkeypatch.setattr(finding, "LOOKED_THROUGH", 2)
    asked = within(theirs, finding.matching)
    steps = {parts.database.call(asked, lamps, 2, number + more).unread for number in hidden for more in (0, 1)}
    assert len(steps) == 1, "nor does a number that somebody makes up tell where a hidden ticket stands"
    assert parts.database.call(asked, lamps, 2, -(10**18)) == finding.Matches([])


WHOLE = {
    "guard.py": 2,
    "account.py": 3,
    "first.py": 1,
    "ladder.py": 2,
    "models.py": 3,
    "sign_in.py": 5,
    "status.py": 1,
    "training.py": 2,
    "access.py": 1,
}
"""Reads of the whole installation, by file: who is signed in, accounts, the log, and numbers that name no ticket."""


def test_pages_and_programs_read_tickets_as_the_person_who_asks() -> None:
    """Whatever reads in another way names no ticket, and stands here."""
    here = Path(agent.__file__).parent
    files = [file for room in ("pages", "programs") for file in (here / room).rglob("*.py")]
    reads = {file.name: len(re.findall(r"database\.(?:read|call)\(", code(file))) for file in files}
    assert {name: count for name, count in reads.items() if count} == WHOLE


def code(file: Path) -> str:
    """Return a file without the lines of its first docstring."""
    return file.read_text(encoding="utf-8").partition('"""\n\nfrom')[2]


def test_an_operator_has_no_limit(parts: Parts) -> None:
    for name, rights in (("Boss", O), ("Kim", R)):
        user = User(key=users.key_of(name), name=name, rights=rights, created_at=utcnow())
        parts.database.call(lambda s, user=user: s.add(user))
    with pytest.raises(BadInput, match="rolecall users rights"):
        limit(parts, "Boss")
    limit(parts, "Kim")
    with pytest.raises(BadInput, match="rolecall users limit --all"):
        parts.database.call(users.change_rights, "Kim", O, "tests", utcnow())
    limit(parts, "Kim", (), ())
    parts.database.call(users.change_rights, "Kim", O, "tests", utcnow())
