"""Tickets are found by their words, on SQLite and on PostgreSQL alike, as long as they are kept and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, delete, select

from agent.store import connector_data, finding, reuse, search
from agent.store.compaction import compact
from agent.store.database import Database
from agent.store.limits import Limit, within
from agent.store.people import User
from agent.store.search import sought
from agent.store.tables import Ticket, TicketWords, utcnow
from agent.work import index_older
from tests.agent.keeping.planted import places

NOW = utcnow()
TICKETS = (
    ("desk:1", "Printer jams", "The printer on the second floor", 3),
    ("desk:2", "网络故障", "无法连接到服务器", 2),
    ("desk:3", "Résumé of the week", "no printer here, but a PRINTING press", 1),
    ("plant:1", "प्रिंटर बंद", "หน้าจอไม่ทำงาน", 0),
)


def filled(database: Database, add: Any = search.add) -> None:
    for key, subject, body, days in TICKETS:
        ticket = Ticket(key=key, subject=subject, body=body, group="hall", filed_at=NOW - timedelta(days=days))
        database.call(add, ticket)


def found(database: Database, question: str, **more: Any) -> list[str]:
    matches = database.call(finding.matching, sought(question), more.pop("limit", 10), **more)
    return [key for _, key in matches.rows]


HOSTILE = [
    *('"', '""', "'", "*", "a*", "^a", "-a", "a:b", "{a}: b", "NEAR(a b, 3)", "AND", "a AND", "(((", "a OR b NOT c"),
    *("\\", "'':*", "a' | 'b", "a & !b", "<->", ":*A", "%", "_", "; DROP TABLE ticket", '"a" "b', "words:printer"),
    *("\u202e", "\x1b[31m", "e\u0301" * 90, "x" * 5_000, "a " * 900, "ﷺ", "\ud7ff\uffff", "0x80 1e5 -1 +2 1.5"),
]


def found_by_words_beginnings_phrases_numbers_and_groups(database: Database) -> None:
    filled(database)
    assert found(database, "printer") == ["desk:3", "desk:1"]
    assert found(database, "PRINT") == ["desk:3", "desk:1"]
    assert found(database, "printer floor") == ["desk:1"]
    assert found(database, '"printer on"') == ["desk:1"]
    assert found(database, '"print on"') == []
    assert found(database, "resume") == ["desk:3"]
    assert found(database, "络故") == ["desk:2"]
    assert found(database, "服务器 网络") == ["desk:2"]
    assert found(database, "故网") == []
    assert found(database, "प्रिंटर") == found(database, "ทำงาน") == ["plant:1"]
    assert found(database, "hall") == ["plant:1", "desk:3", "desk:2", "desk:1"]
    assert found(database, "2") == ["desk:2"]


def pages_of_it_follow_one_another(database: Database) -> None:
    filled(database)
    (first, _), *_ = database.call(finding.matching, sought("hall"), 1).rows
    assert found(database, "hall", before=first, limit=2) == ["desk:3", "desk:2"]
    assert database.call(finding.count, sought("hall")[0]) == (4, False)


def no_question_is_an_error(database: Database) -> None:
    filled(database)
    for question in (*HOSTILE, *(f"{each} printer" for each in HOSTILE)):
        if phrases := sought(question):
            assert database.call(finding.matching, phrases, 5) is not None
            assert set(found(database, f"floor {question}")) <= {"desk:1"}
    assert found(database, "words:printer") == found(database, "AND") == []


def what_is_renamed_moved_or_deleted_is_found_so(database: Database) -> None:
    filled(database)
    database.call(connector_data.rename, "desk", "help", lambda content: content)
    assert found(database, "printer") == ["help:3", "help:1"]
    new = Ticket(key="help:1", subject="Zebra", body="", filed_at=NOW)
    database.call(reuse.take_number, new)
    assert found(database, "zebra") == ["help:1"]
    assert found(database, "floor") == [database.call(old_key)]
    words = col(TicketWords.ticket_key)
    database.call(lambda session: session.execute(delete(TicketWords).where(words.startswith("help"))))
    assert found(database, "printer") == found(database, "zebra") == []


def old_key(session: Session) -> str:
    return session.exec(select(Ticket.key).where(Ticket.subject == "Printer jams")).one()


def tickets_of_the_same_second_all_have_a_number(database: Database) -> None:
    def add(session: Session) -> None:
        numbers = []
        for number in range(50):
            ticket = Ticket(key=f"desk:{number}", subject="same", body="", filed_at=NOW)
            search.add(session, ticket)
            search.index(session, ticket)  # a second time changes nothing
            numbers.append(search.numbered(NOW, ticket.key))
        taken = Ticket(key="desk:x", subject="same", body="", filed_at=NOW)
        row = session.get_one(TicketWords, numbers[0])
        row.number = search.numbered(NOW, "desk:x")
        session.flush()
        search.add(session, taken)

    database.call(add)
    assert set(found(database, "same", limit=99)) == {*(f"desk:{number}" for number in range(50)), "desk:x"}


def older_tickets_are_added_in_the_background(database: Database) -> None:
    filled(database, add=Session.add)
    assert found(database, "hall") == []
    asyncio.run(index_older.index_older(database, 0))
    assert found(database, "hall") == ["plant:1", "desk:3", "desk:2", "desk:1"]
    database.call(search.add, Ticket(key="desk:9", subject="hall", body="", filed_at=NOW))
    asyncio.run(index_older.index_older(database, 0))
    assert len(found(database, "hall")) == 5


def a_limited_account_finds_what_is_in_its_group_now(database: Database) -> None:
    filled(database)
    database.call(lambda session: setattr(session.get_one(Ticket, "desk:1"), "seen", {"group": "yard"}))
    database.call(lambda session: setattr(session.get_one(Ticket, "desk:2"), "seen", {"group": None}))
    for limit, keys in (
        (Limit(("desk",), ("hall",)), ["desk:3", "desk:2"]),
        (Limit((), ("yard",)), ["desk:1"]),
        (Limit(("plant", "des"), ("hall", "yard")), ["plant:1"]),
        (None, ["plant:1", "desk:3", "desk:2", "desk:1"]),
    ):
        asked = within(limit, finding.matching)
        for few in (0, 1_000):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(finding, "FEW", few)
                assert [key for _, key in database.call(asked, sought("hall"), 9).rows] == keys
    user = User(key="kim", name="Kim", rights="viewer", created_at=NOW, helpdesks=["desk", "plant"])
    database.call(lambda session: session.add(user))
    database.call(connector_data.rename, "desk", "help", lambda content: content)
    assert database.call(lambda session: session.get_one(User, "kim").helpdesks) == ["help", "plant"]


def an_account_with_few_tickets_finds_in_them_what_the_index_finds(database: Database) -> None:
    """Any question has the same answer, whether the index is asked or each ticket is read."""
    filled(database)
    theirs = within(Limit((), ("hall",)), finding.matching)
    asked = [
        "printer",
        "print",
        "PRINT floor",
        '"printer on"',
        '"print on"',
        "络故",
        "故网",
        "प्रिंटर",
        "ทำงาน",
        "all",
        "2",
    ]
    for question in (*asked, *HOSTILE):
        if phrases := sought(question):
            assert database.call(theirs, phrases, 9) == database.call(finding.matching, phrases, 9), question
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "OFTEN", 1)  # as where the newest tickets are looked at one after another
        for question, most in product(asked, (1, 2, 9)):
            every = database.call(finding.matching, sought(question), most)
            assert every == database.call(theirs, sought(question), most), (question, most)
    newest, *_ = database.call(theirs, sought("hall"), 2).rows
    assert [key for _, key in database.call(theirs, sought("hall"), 2, newest[0]).rows] == ["desk:3", "desk:2"]


CHECKS: tuple[Callable[[Database], None], ...] = (
    found_by_words_beginnings_phrases_numbers_and_groups, pages_of_it_follow_one_another, no_question_is_an_error,
    what_is_renamed_moved_or_deleted_is_found_so, tickets_of_the_same_second_all_have_a_number,
    older_tickets_are_added_in_the_background, a_limited_account_finds_what_is_in_its_group_now,
    an_account_with_few_tickets_finds_in_them_what_the_index_finds,
)  # fmt: skip


def test_the_same_is_found_on_both_databases(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_older, "LOOKED_AT", 3)
    monkeypatch.setattr(index_older, "AT_ONCE", 2)
    for check in CHECKS:
        check(database)
        database.call(emptied)


def emptied(session: Session) -> None:
    session.execute(delete(TicketWords))
    session.execute(delete(Ticket))


@pytest.mark.parametrize("tidied", [True, False], ids=["", "control: without tidying"])
def test_no_word_of_a_deleted_ticket_stays_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tidied: bool
) -> None:
    if not tidied:
        monkeypatch.setattr(search, "TIDY", "SELECT 1")
    database = Database.open_file(tmp_path / "rolecall.sqlite3")
    for number in range(3):
        word = "zebrafish" if number == 1 else "harmless"
        database.call(search.add, Ticket(key=f"desk:{number}", subject=f"{word} {number}", body="", filed_at=NOW))
    theirs = col(TicketWords.ticket_key) == "desk:1"
    database.call(lambda session: session.execute(delete(TicketWords).where(theirs)))
    database.call(lambda session: session.execute(delete(Ticket).where(col(Ticket.key) == "desk:1")))
    compact(database)
    database.close()
    assert (places(tmp_path, "zebrafish") == []) is tidied
