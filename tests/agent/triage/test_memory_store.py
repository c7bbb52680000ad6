"""The memory follows the reviews row by row, and is at any time what reading all of them again would give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlmodel import Session

from agent.domain import Role, RoleCatalogue, Strength
from agent.feedback import accounts
from agent.serving.active import ActiveModel
from agent.serving.artefact import Head, Manifest, write
from agent.store import tickets
from agent.store.database import Database
from agent.store.tables import Embedding, Forgotten, Review, Ticket
from agent.triage import memory_store
from agent.triage.fusion import Fusion
from agent.triage.memory import ReviewedEmbedding, recall, remember
from agent.triage.memory_store import MemoryStore, in_order
from agent.triage.model import TicketModel, load
from tests.agent.serving.conftest import ROLES, counting_encoder

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
WORDS = ("oil", "wire", "door", "oil wire", "wire door", "oil oil door")
SIZE = 4
CATALOGUE = RoleCatalogue([Role(name) for name in ROLES])


@dataclass(frozen=True)
class Desk:
    """A database and a model that serves; `say` reviews a ticket."""

    database: Database
    active: ActiveModel[TicketModel]
    encoders: Path
    counted: list[int] = field(default_factory=list)

    def store(self, size: int = SIZE) -> MemoryStore:
        return MemoryStore(self.database, self.active, self.encoders, CATALOGUE, size)

    def say(
        self, ticket: int, roles: tuple[str, ...], rejected: tuple[str, ...], strength: Strength, minute: int
    ) -> None:
        self.counted.append(ticket)
        key = f"desk:{ticket}"
        filed = Ticket(
            key=key, subject=WORDS[ticket % len(WORDS)], body=f"number {ticket}", filed_at=NOON,
            requester=f"requester {ticket % 3}",
        )  # fmt: skip
        self.database.call(tickets.file, filed)
        at = NOON + timedelta(minutes=minute)
        self.database.call(
            tickets.review,
            Review(
                ticket_key=key, roles=list(roles), rejected=list(rejected), strength=strength,
                origin=str(len(self.counted)), at=at,
            ),
        )  # fmt: skip

    def forget(self) -> None:
        def empty(session: Session) -> None:
            for table in (Review, Ticket, Embedding):
                session.execute(delete(table))

        self.database.call(empty)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    encoder = counting_encoder(folder / "encoders")
    manifest = Manifest(
        version="v1", created_at=NOON, roles=ROLES, multi_label=False, trainer="frozen", base_model="counting",
        encoder=encoder, tuned=False, seed=0,
    )  # fmt: skip
    head = Head(np.eye(3, dtype=np.float32), np.zeros(3, dtype=np.float32))
    write(folder / "models" / "v1", manifest, head, {}, folder / "encoders" / encoder)
    (folder / "models" / "ACTIVE").write_text('{"version": "v1"}')
    active = ActiveModel(folder / "models", lambda version: load(version, folder / "encoders", CATALOGUE))
    active.refresh()
    database = Database.open_file(folder / "db.sqlite3")
    yield Desk(database, active, folder / "encoders")
    database.close()


@pytest.fixture
def one_ticket_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "TICKETS_A_DAY", 1)


def same(one: MemoryStore, other: MemoryStore) -> None:
    assert one.current is not None
    assert other.current is not None
    ours, theirs = one.current.memory, other.current.memory
    assert ours.ticket_keys == theirs.ticket_keys
    for name in ("embeddings", "labels", "trust", "rejected") if len(ours) else ():
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), name)
    np.testing.assert_array_equal(one.current.silent, other.current.silent)


roles = st.sampled_from([(role,) for role in (*ROLES, "Retired")] + [ROLES[:2], (ROLES[0], "Retired"), ()])
reviews = st.tuples(
    st.integers(0, 6), roles, st.sampled_from([(), (ROLES[0],), ("Retired",)]), st.sampled_from(Strength),
    st.integers(0, 30),
)  # fmt: skip


@given(history=st.lists(st.lists(reviews, max_size=4), max_size=8))
@example([[(0, (ROLES[0],), (), Strength.CONFIRMED, 9)], [(0, (ROLES[1],), (ROLES[0],), Strength.CORRECTED, 3)]])
@example([[(n, (ROLES[0],), (), Strength.CLOSED, n)] for n in range(7)])
@example([[(0, (ROLES[0],), (), Strength.CLOSED, 1)], [(0, (), (ROLES[0],), Strength.CORRECTED, 3)]])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("one_ticket_a_day")
def test_the_followed_memory_is_the_one_that_is_read_anew(desk: Desk, history: list[list]) -> None:
    desk.forget()
    followed = desk.store()
    followed.refresh()
    for batch in history:
        for review in batch:
            desk.say(*review)
        followed.refresh()
        anew = desk.store()
        anew.refresh()
        same(followed, anew)


def test_a_frozen_model_and_its_memory_share_one_encoder(desk: Desk) -> None:
    """Two would hold a hundred megabytes twice. A tuned model has another encoder than the memory."""
    model = desk.active.current
    assert model is not None
    store = desk.store()
    store.refresh()
    assert store.current is not None
    assert store.current.encoder is model.encoder

    manifest = model.manifest.model_copy(update={"tuned": True})
    tuned = ActiveModel[TicketModel](desk.encoders, lambda _: model)
    tuned.current = replace(model, artefact=replace(model.artefact, manifest=manifest))
    apart = MemoryStore(desk.database, tuned, desk.encoders, CATALOGUE)
    apart.refresh()
    assert apart.current is not None
    assert apart.current.encoder is not model.encoder


def test_a_review_is_taken_in_without_reading_the_others_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.forget()
    for number in range(SIZE):
        desk.say(number, (ROLES[number % 3],), (), Strength.CONFIRMED, number)
    store = desk.store()
    store.refresh()
    asked: list[list[str]] = []
    read = memory_store.embed_kept
    monkeypatch.setattr(memory_store, "embed_kept", lambda *a: asked.append([e.ticket_key for e in a[3]]) or read(*a))
    desk.say(9, (ROLES[0],), (), Strength.CONFIRMED, 20)
    assert store.refresh()
    assert asked == [["desk:9"]]
    assert not store.refresh()


def test_a_review_whose_number_was_seen_late_is_not_missed(desk: Desk) -> None:
    """On PostgreSQL a transaction may take number 7, and be seen after number 8."""
    desk.forget()
    for number in range(3):
        desk.say(number, (ROLES[0],), (), Strength.CONFIRMED, number)
    late = desk.database.call(lambda session: session.get_one(Review, 2).model_dump())
    desk.database.call(lambda session: session.delete(session.get_one(Review, 2)))
    store = desk.store()
    store.refresh()
    desk.database.call(lambda session: session.add(Review(**late)))
    assert store.refresh()
    anew = desk.store()
    anew.refresh()
    same(store, anew)
    assert store.current is not None
    assert late["ticket_key"] in store.current.memory.ticket_keys


def test_an_import_of_many_is_read_as_one(desk: Desk) -> None:
    desk.forget()
    store = desk.store(2_000)
    store.refresh()
    for number in range(memory_store.MANY + 1):
        desk.say(number, (ROLES[number % 3],), (), Strength.CONFIRMED, number)
    assert store.refresh()
    anew = desk.store(2_000)
    anew.refresh()
    same(store, anew)


def test_a_flood_of_one_requester_is_not_heard(desk: Desk) -> None:
    desk.forget()
    calm, flooded = Fusion.untrained(ROLES), desk.store(2_000)
    desk.say(1, (ROLES[1],), (), Strength.CLOSED, 0)
    flooded.refresh()
    assert flooded.current is not None
    before = flooded.current.recall("oil", calm)
    for number in range(3, 3 * accounts.TICKETS_A_DAY + 6, 3):
        desk.say(number, (ROLES[0],), (), Strength.CLOSED, number)
    flooded.refresh()
    assert len(flooded.current.memory) == accounts.TICKETS_A_DAY + 2
    after = flooded.current.recall("oil", calm)
    np.testing.assert_array_equal(after.evidence, before.evidence)
    assert after.neighbours == before.neighbours
    desk.say(3, (ROLES[2],), (), Strength.CORRECTED, 90)
    flooded.refresh()
    assert [n.ticket_key for n in flooded.current.recall("oil", calm).neighbours[0]].count("desk:3") == 1


def test_a_forgotten_ticket_is_remembered_no_more_by_a_server_that_runs(desk: Desk) -> None:
    desk.forget()
    for number in range(2):
        desk.say(number, (ROLES[0],), (), Strength.CONFIRMED, number)
    store = desk.store()
    store.refresh()

    def delete_one(session: Session) -> None:
        session.execute(delete(Review).where(Review.ticket_key == "desk:0"))
        session.add(Forgotten(at=NOON, kind="ticket", value="a pseudonym"))

    desk.database.call(delete_one)
    assert store.refresh()
    assert store.current is not None
    assert store.current.memory.ticket_keys == ("desk:1",)
    assert not store.refresh()


def test_a_memory_serves_roles_in_another_order_and_roles_that_it_does_not_know() -> None:
    reviews = [
        ReviewedEmbedding("a", np.eye(2, dtype=np.float32)[0], ("Oil",)),
        ReviewedEmbedding("b", np.eye(2, dtype=np.float32)[1], ("Wire",), rejected=("Oil",)),
    ]
    memory = remember(reviews, ("Oil", "Wire", "Gone"))
    turned = in_order(memory, ("Wire", "New", "Oil"))
    assert turned.labels.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert turned.rejected.tolist() == [[0, 0, 0], [0, 0, 1]]
    assert in_order(memory, memory.roles) is memory
    asked = np.eye(2, dtype=np.float32)[:1]
    as_is, as_turned = (
        recall(each, asked, Fusion.untrained(each.roles))
        for each in (memory, in_order(memory, ("Wire", "Gone", "Oil")))
    )
    assert [near.roles for near in as_turned.neighbours[0]] == [near.roles for near in as_is.neighbours[0]]
