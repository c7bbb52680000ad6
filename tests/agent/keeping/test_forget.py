"""What is forgotten is nowhere in the data directory any more, however it is searched, and is not served either."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, SQLModel, select

from agent.core import Parts, assemble, mark_key
from agent.domain import REQUESTER as ASKED
from agent.domain import pseudonym
from agent.errors import NotPossibleYet
from agent.keeping import forget as forgetting
from agent.keeping.forget import Done, note_of
from agent.notes.speak import mark_of
from agent.serving.artefact import Manifest
from agent.serving.registry import Registry
from agent.store import retention, reuse, verdicts, writings
from agent.store.connector_data import KEYS
from agent.store.tables import Comment, Decision, Forgotten, Inbox, ModelJob, Review, Tick, Ticket, utcnow
from agent.store.writings import Verdict, Writing, WritingKind
from connectors.base import Markup
from connectors.errors import Transient
from connectors.markup import excerpt, render
from connectors.note import Note, Section, SectionKind, Span
from tests.agent.keeping.planted import AT, OTHER, REQUESTER, TICKET, WORDS, leave_files, places, plant
from tests.agent.serving.conftest import build as build
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio

Build = Callable[..., Manifest]


FOLDED = WORDS.partition("-")[0].lower()
"""As the index of the search has it."""


@pytest.fixture
def full(parts: Parts, desk: Desk, build: Build, tmp_path: Path) -> Parts:
    """Return an installation that is full of the words, also in a comment on another ticket, and in models."""
    parts.database.call(plant)
    for version in ("v1", "v2", "v3"):
        build(version)
    shutil.copytree(tmp_path / "models", parts.directory.models)
    shutil.copytree(tmp_path / "encoders", parts.directory.encoders)
    leave_files(parts, {"v1": [OTHER], "v2": [TICKET, OTHER], "v3": [TICKET]})
    registry = Registry(parts.directory.models, parts.directory.encoders)
    for version in ("v1", "v2", "v3"):
        registry.activate(version, "a test")
    desk.create(WORDS)
    desk.create("another")
    asyncio.run(quote(parts, desk))
    return parts


async def quote(parts: Parts, desk: Desk) -> None:
    """Post a comment on the other ticket that quotes the ticket as similar."""
    mark = mark_of(mark_key(parts.directory, parts.database), OTHER)
    said = Note((Section(SectionKind.ROLE, ((Span("reviewed before: "), excerpt(WORDS), Span(" (Network)")),)),))
    text = render(said, Markup.MARKDOWN, f"{mark}-{'0' * 16}")
    stored = await desk.post_comment("2", text)
    near = {"neighbours": [{"ticket": TICKET, "roles": ["Network"], "similarity": 0.9}]}
    rows = [
        Ticket(key=OTHER, subject="another", body="", filed_at=AT),
        Decision(ticket_key=OTHER, at=AT, outcome="clear", roles=[], reason="", detail=near, rules_version="1"),
        Comment(ticket_key=OTHER, marker=mark, text=text, remote_id=stored.id, shown=text, version="0" * 16),
    ]
    parts.database.call(lambda session: session.add_all(rows))


async def forget(
    parts: Parts, desk: Desk | None, ticket: str | None = None, requester: str | None = None, before: date | None = None
) -> Done:
    key = mark_key(parts.directory, parts.database)
    note = note_of(key, utcnow(), ticket=ticket, requester=requester, before=before)
    connectors = {desk.source: desk} if desk else None
    return await forgetting.forget(parts.database, parts.directory, key, connectors, [note])


def test_every_table_is_kept_by_ticket_or_holds_no_words_of_any() -> None:
    by_ticket = {table.__tablename__ for table, _ in KEYS}
    without = {table.__tablename__ for table in retention.WITHOUT_TICKETS}
    assert by_ticket | without == set(SQLModel.metadata.tables)
    assert not by_ticket & without


@pytest.mark.parametrize(
    "what", [{"ticket": TICKET}, {"requester": " zoë.zebra@EXAMPLE.org"}, {"before": AT.date() + timedelta(1)}]
)
async def test_no_byte_of_a_forgotten_ticket_is_left(full: Parts, desk: Desk, what: dict) -> None:
    for words in (WORDS, REQUESTER, FOLDED):
        assert "rolecall.sqlite3-wal" in places(full.directory.path, words)
    done = await forget(full, desk, **what)
    assert places(full.directory.path, FOLDED) == []
    assert done.tickets == (2 if "before" in what else 1)
    assert places(full.directory.path, WORDS) == []
    assert places(full.directory.path, REQUESTER) == []


@pytest.mark.parametrize(
    ("what", "new_stays"),
    [({"ticket": TICKET}, False), ({"requester": REQUESTER}, True), ({"before": AT.date() + timedelta(1)}, True)],
)
async def test_no_byte_is_left_of_a_ticket_whose_number_another_one_has(
    full: Parts, desk: Desk, what: dict, new_stays: bool
) -> None:
    new = Ticket(key=TICKET, subject="another person's", body="", filed_at=utcnow())
    full.database.call(reuse.take_number, new)
    assert full.database.call(lambda s: {s.exec(select(key).distinct()).all()[0] for _, key in KEYS}) != {TICKET}
    done = await forget(full, desk, **what)
    assert set(done.versions) == {"v1", "v2", "v3"} if "before" in what else {"v2", "v3"} <= set(done.versions)
    assert places(full.directory.path, WORDS) == places(full.directory.path, REQUESTER) == []
    assert "before" in what or WORDS not in desk.comments("2")[0].text  # else that ticket is forgotten itself
    assert (full.database.call(lambda session: session.get(Ticket, TICKET)) is not None) is new_stays


async def test_control_without_compaction_the_words_are_found(
    full: Parts, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "compact", lambda database: None)
    await forget(full, desk, ticket=TICKET)
    assert places(full.directory.path, WORDS) != []


async def test_other_tickets_keep_what_is_theirs_without_the_excerpt(full: Parts, desk: Desk) -> None:
    done = await forget(full, desk, ticket=TICKET)
    assert done.comments == 1
    (ours,) = desk.comments("2")
    assert WORDS not in ours.text
    assert ours.text.startswith("reviewed before: `…` (Network)")
    (comment,) = full.database.call(lambda session: session.exec(select(Comment)).all())
    assert (comment.ticket_key, comment.shown) == (OTHER, ours.text)
    (decision,) = full.database.call(lambda session: session.exec(select(Decision)).all())
    assert decision.detail == {"neighbours": []}


async def test_models_that_learnt_from_it_are_gone_and_an_older_one_serves(full: Parts, desk: Desk) -> None:
    done = await forget(full, desk, ticket=TICKET)
    assert done.versions == ("v2", "v3")
    registry = Registry(full.directory.models, full.directory.encoders)
    pointer = registry.active()
    assert pointer is not None
    assert (pointer.version, pointer.predecessor) == ("v1", None)
    assert [manifest.version for manifest in registry.versions()] == ["v1"]


async def test_where_all_models_learnt_from_it_none_serves(full: Parts, desk: Desk) -> None:
    await forget(full, desk, before=AT.date() + timedelta(1))
    registry = Registry(full.directory.models, full.directory.encoders)
    assert registry.active() is registry.last_pointer() is None
    assert registry.versions() == []


async def test_nothing_is_deleted_while_a_comment_cannot_be_edited(
    full: Parts, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise Transient("the helpdesk is down")

    monkeypatch.setattr(desk, "edit_comment", fail)
    with pytest.raises(NotPossibleYet, match=r"the helpdesk is down\. Nothing was deleted yet"):
        await forget(full, desk, ticket=TICKET)
    assert full.database.call(lambda session: session.get(Ticket, TICKET)) is not None
    done = await forget(full, None, ticket=TICKET)
    assert done.tickets == 1
    assert places(full.directory.path, WORDS) == []


async def test_it_is_noted_by_pseudonym_in_the_database_and_beside_it(full: Parts, desk: Desk) -> None:
    await forget(full, desk, requester=REQUESTER)
    await forget(full, desk, requester=REQUESTER)
    rows = full.database.call(lambda session: session.exec(select(Forgotten)).all())
    lines = [json.loads(line) for line in full.directory.forgotten.read_text().splitlines()]
    value = pseudonym(full.directory.key(), ASKED, REQUESTER)
    assert [(row.kind, row.value) for row in rows] == [("requester", value)] * 2
    assert [(line["kind"], line["value"]) for line in lines] == [("requester", value)] * 2
    assert full.directory.forgotten.stat().st_mode & 0o777 == 0o600


async def test_who_asked_is_kept_as_a_pseudonym_and_found_after_the_event_is_gone(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        event = desk.create("VPN is down", WORDS, requester=REQUESTER)
        await server.deliver(event)
        await server.idle()
        await server.deliver(desk.create("the door is locked"))
        await server.idle()
    parts = reopened(parts)
    ticket = parts.database.call(lambda session: session.get_one(Ticket, TICKET))
    assert ticket.requester == pseudonym(parts.directory.key(), ASKED, REQUESTER)
    numbers = parts.database.call(retention.finished_before, utcnow() + timedelta(days=1), 0, 100)
    parts.database.call(retention.forget, numbers)
    done = await forget(parts, None, requester=REQUESTER)
    assert (done.tickets, done.unknown_requesters) == (1, 1)
    assert places(parts.directory.path, WORDS) == []


def reopened(parts: Parts) -> Parts:
    """Assemble the parts anew: the server closed their database."""
    return assemble(parts.settings)


def test_the_nightly_job_deletes_what_nobody_asks_for_any_more(parts: Parts) -> None:
    now = utcnow()

    def rows(days: float) -> list:
        at, name = now - timedelta(days=days), f"{days}"
        event = {"source": "desk", "delivery_id": name, "kind": "created", "ticket_key": name, "content_hash": name}
        return [
            Tick(job="train", slot=name, at=at),
            ModelJob(id=name, model_name="m", created_at=at, finished_at=at, digest="", request=""),
            Inbox(**event, received_at=at, due_at=at, event="", raw=b"", state="done", done_at=at),
            Review(ticket_key=name, roles=[], strength=3, origin=name, at=at),
        ]

    parts.database.call(lambda session: session.add_all([*rows(10), *rows(100), *rows(1_000)]))
    parts.database.call(retention.delete_expired, now, timedelta(days=90))
    left = {
        table: len(parts.database.call(lambda session, table=table: session.exec(select(table)).all()))
        for table in (Tick, ModelJob, Inbox, Review)
    }
    assert left == {Tick: 1, ModelJob: 1, Inbox: 2, Review: 3}


async def test_what_helped_on_a_forgotten_ticket_is_blanked_in_our_comments_on_others(full: Parts, desk: Desk) -> None:
    fix, before = "I swapped the ZEBRA-FIX module.", "I cleaned the ZEBRA-OLD contacts."
    for said in (before, fix):
        parts = [["fix", [[said, 2, "2"]]]]
        row = Writing(
            ticket_key=TICKET, kind=WritingKind.CLOSURE, at=AT, outcome="fixed", parts=parts, writer="x", digest="x",
            shown=True,
        )  # fmt: skip
        full.database.call(writings.put, row)
    words = ["I told the ZEBRA-SAID story.", "I told the ZEBRA-LAST story."]

    def edit(session: Session, said: str) -> None:
        row = writings.closing(session, TICKET)
        assert row is not None
        verdicts.judge(session, row, Verdict.EDITED, "Kim", AT, f"Fix: {said}")

    for said in words:
        full.database.call(edit, said)
    told = ", ".join(f"`{each}`" for each in (fix, before, *words))
    (ours,) = desk.comments("2")
    desk.rewrite("2", ours.id, ours.text.replace("(Network)", f"(Network; what helped: {told})"))
    await forget(full, desk, ticket=TICKET)
    assert "ZEBRA" not in desk.comments("2")[0].text
    assert [places(full.directory.path, f"ZEBRA-{each}") for each in ("FIX", "OLD", "SAID", "LAST")] == [[]] * 4
