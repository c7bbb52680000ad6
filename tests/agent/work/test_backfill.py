"""Backfill takes in each closed ticket once, however often it dies, is told to wait, or runs beside the poll."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from agent.config.settings import TriageSettings
from agent.desk.history import Intake, take_out
from agent.domain import REQUESTER, Role, RoleCatalogue, Strength, Via, pseudonym
from agent.errors import NotPossibleYet
from agent.store.database import Database
from agent.store.tables import Forgotten, Review, Ticket, Watermark
from agent.work.backfill import Progress, backfill
from agent.writing.extractive import Extractive
from connectors.base import Past
from connectors.errors import Permanent, TicketNotFound, Transient
from connectors.events import Kind
from tests.desk import START, Desk

pytestmark = pytest.mark.anyio
KEY = b"k" * 32
ROLES = RoleCatalogue(
    [Role("Network", groups={"desk": ("net",)}), Role("Electrician", groups={"desk": ("ele", "lights")})]
)


class Died(Exception):
    """The process was killed."""


@dataclass
class Moody(Desk):
    """Raises the errors in `moods` at the calls of `history`; None lets a call through."""

    moods: list[BaseException | None] = field(default_factory=list)
    asked: int = 0

    async def history(self, since: datetime, place: str | None, *, messages: bool) -> Past:
        self.asked += 1
        if self.moods and (mood := self.moods.pop(0)) is not None:
            raise mood
        return await super().history(since, place, messages=messages)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty database, made once."""
    file = tmp_path_factory.mktemp("empty") / "db.sqlite3"
    Database.open_file(file).close()
    return file


@pytest.fixture
def database(empty: Path, tmp_path: Path) -> Iterator[Database]:
    opened = Database(shutil.copy(empty, tmp_path) and tmp_path / empty.name)
    yield opened
    opened.close()


def desk(closed: int, **given: object) -> Moody:
    made = Moody(**given)  # type: ignore[arg-type]
    for number in range(closed):
        event = made.create(f"vpn {number} drops", "since Monday", requester=f"zoe-{number}@example.test")
        made.close(event.ticket_id, ("net", "ele", "lights")[number % 3])
    return made


def intake(of: Desk, scope: TriageSettings | None = None) -> Intake:
    return Intake(of, ROLES, scope or TriageSettings(), KEY)


@dataclass
class Run:
    """Runs of backfill: what was shown, and for how long it waited."""

    database: Database
    shown: list[tuple[float, float]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    dies: Callable[[], bool] = lambda: False

    async def __call__(self, of: Intake, since: datetime = START, **given: object) -> Progress:
        async def rest(seconds: float) -> None:
            self.waited.append(seconds)
            if self.dies():
                raise Died

        def show(come: Progress, pause: float) -> None:
            self.shown.append((come.share, pause))

        return await backfill(of, self.database, since, show, rest=rest, **given)  # type: ignore[arg-type]


@pytest.fixture
def run(database: Database) -> Run:
    return Run(database)


def rows(database: Database) -> dict[str, list[Review]]:
    found: dict[str, list[Review]] = {}
    for row in database.call(lambda session: session.exec(select(Review)).all()):
        found.setdefault(row.ticket_key, []).append(row)
    return found


async def test_closed_tickets_come_in_with_their_last_group_as_weak_labels(run: Run, database: Database) -> None:
    system = desk(4)
    system.create("still open")
    come = await run(intake(system))
    assert (come.tally.looked, come.tally.new, come.done, come.share) == (5, 4, True, 1.0)
    found = rows(database)
    assert {key: [(r.roles, r.strength, r.via) for r in given] for key, given in found.items()} == {
        f"desk:{n + 1}": [([("Network", "Electrician")[n % 3 > 0]], Strength.CLOSED, Via.CLOSURE)] for n in range(4)
    }
    stored = database.call(lambda session: session.get(Ticket, "desk:1"))
    assert stored is not None
    assert (stored.subject, stored.body, stored.group) == ("vpn 0 drops", "since Monday", None)
    assert stored.requester == pseudonym(KEY, REQUESTER, "zoe-0@example.test")
    assert found["desk:1"][0].at == stored.closed_at == system.tickets["1"].closed_at
    assert (await run(intake(system), again=True)).tally.new == 0
    assert {key: len(given) for key, given in rows(database).items()} == dict.fromkeys(found, 1)


@pytest.mark.parametrize("seed", range(4))
async def test_killed_at_any_moment_nothing_comes_twice_and_nothing_is_missing(
    run: Run, database: Database, seed: int
) -> None:
    chance = random.Random(seed)
    system = desk(13)
    system.moods = [Transient("busy", 3.0) if chance.random() < 0.2 else None for _ in range(30)]
    run.dies = lambda: chance.random() < 0.4
    deaths = 0
    while True:
        write, dying = database.write, chance.random() < 0.5

        async def killed_at_the_commit(query: object, *args: object, write=write, dying=dying) -> object:  # type: ignore[no-untyped-def]
            def half(session: Session, *given: object) -> object:
                done = query(session, *given)  # type: ignore[operator]
                if dying and chance.random() < 0.3:
                    session.flush()
                    raise Died
                return done

            return await write(half, *args)

        database.write = killed_at_the_commit  # type: ignore[method-assign,assignment]
        try:
            come = await run(intake(system))
        except Died:
            deaths += 1
        else:
            break
        finally:
            database.write = write  # type: ignore[method-assign]
    assert deaths
    assert (come.tally.looked, come.tally.new, come.tally.known) == (13, 13, 0)
    assert {key: len(given) for key, given in rows(database).items()} == {f"desk:{n + 1}": 1 for n in range(13)}


async def test_a_place_that_is_not_stored_with_its_tickets_would_lose_or_repeat_some(
    run: Run, database: Database
) -> None:
    """Control: a run that forgets what it looked at counts tickets twice."""
    system = desk(4)
    run.dies = lambda: len(run.waited) == 1
    with pytest.raises(Died):
        await run(intake(system))
    lost = Progress(START, None)

    def forget(session: Session) -> None:
        session.get_one(Watermark, "desk").history = lost.stored()

    database.call(forget)
    assert (await run(intake(system))).tally.known == 2


async def test_what_the_poll_tells_of_the_same_closure_counts_once(run: Run, database: Database) -> None:
    system = desk(2)
    await run(intake(system))
    told = next(event for event in system.events.values() if event.kind is Kind.CLOSED)
    (review,) = rows(database)[f"desk:{told.ticket_id}"]
    assert review.origin == f"{told.delivery_id}:{told.kind}"


async def test_the_poll_begins_before_the_history_is_read_and_keeps_its_own_mark(run: Run, database: Database) -> None:
    system = desk(3)
    await run(intake(system))
    row = database.call(lambda session: session.get(Watermark, "desk"))
    assert row is not None
    assert (row.value, system.polls) == ("0", 1)
    await run(intake(system))
    assert system.polls == 1


async def test_it_waits_as_long_as_the_system_asks_and_gives_up_in_words_at_last(run: Run) -> None:
    system = desk(2, moods=[Transient("busy", 7.0), Transient("down"), Transient("down")])
    await run(intake(system))
    assert run.waited[:3] == [7.0, 2.0, 4.0]
    assert [pause for _, pause in run.shown][:3] == [7.0, 2.0, 4.0]
    system.moods = [Transient("GET tickets: answered 503")] * 20
    with pytest.raises(Transient, match="503"):
        await run(intake(system), again=True)
    assert system.asked < 14


@pytest.mark.parametrize("error", [Permanent("no"), TicketNotFound("GET tickets: answered 404")])
async def test_what_waiting_cannot_mend_is_said_at_once(run: Run, error: Exception) -> None:
    with pytest.raises(type(error)):
        await run(intake(desk(1, moods=[error])))
    assert run.waited == []


async def test_groups_that_are_no_roles_are_counted_and_their_tickets_not_kept(run: Run, database: Database) -> None:
    system = desk(3)
    for group in ("finance", "finance", None):
        system.close(system.create("a bill").ticket_id, group)
    come = await run(intake(system))
    assert come.tally.unclaimed == {"finance": 2, "": 1}
    assert len(rows(database)) == 3
    wider = RoleCatalogue([*ROLES.roles, Role("Finance", groups={"desk": ("finance",)})])
    come = await run(Intake(system, wider, TriageSettings(), KEY), again=True)
    assert (come.tally.new, come.tally.known, come.tally.unclaimed) == (2, 3, {"": 1})


async def test_what_is_left_alone_merged_or_forgotten_stays_out(run: Run, database: Database) -> None:
    system = desk(6)
    system.change("1", merged_into="2")
    notes = [
        Forgotten(at=datetime.now(UTC), kind="ticket", value=pseudonym(KEY, "ticket", "desk:2")),
        Forgotten(at=datetime.now(UTC), kind=REQUESTER, value=pseudonym(KEY, REQUESTER, "zoe-2@example.test")),
        Forgotten(at=datetime.now(UTC), kind="before", value=START.isoformat()),
    ]
    database.call(lambda session: session.add_all(notes))
    scope = TriageSettings.model_validate({"ignore": {"senders": ["zoe-3@*"]}})
    come = await run(intake(system, scope))
    assert (come.tally.merged, come.tally.forgotten, come.tally.left_alone, come.tally.new) == (1, 2, 1, 2)
    assert set(rows(database)) == {"desk:5", "desk:6"}


async def test_an_earlier_day_looks_further_back_and_a_later_one_has_nothing_to_do(
    run: Run, database: Database
) -> None:
    system = desk(3)
    assert (await run(intake(system), START + timedelta(days=1))).tally.new == 0
    assert (await run(intake(system))).tally.new == 3
    asked = system.asked
    assert (await run(intake(system), START + timedelta(days=1))).since == START
    assert system.asked == asked


async def test_a_second_run_beside_it_ends_in_words(run: Run, database: Database) -> None:
    system = desk(5)
    other = Run(database)

    async def at_the_same_time() -> list[Progress | BaseException]:
        return list(await asyncio.gather(run(intake(system)), other(intake(system)), return_exceptions=True))

    ends = await at_the_same_time()
    assert sum(isinstance(end, Progress) for end in ends) == 1, ends
    (why,) = [end for end in ends if not isinstance(end, Progress)]
    assert isinstance(why, NotPossibleYet)
    assert "another process" in str(why)
    assert {key: len(given) for key, given in rows(database).items()} == {f"desk:{n + 1}": 1 for n in range(5)}


async def test_with_messages_what_helped_is_kept_as_a_draft(run: Run, database: Database) -> None:
    from agent.store import writings

    system = desk(1)
    system.reopen("1")
    system.reply("1", "Replaced the gateway's certificate, it works again now.", internal=False)
    system.close("1", "net")
    await run(intake(system), writer=Extractive())
    (written,) = database.call(writings.of_ticket, "desk:1")
    assert not written.shown
    assert "since Monday" in writings.sentences(written)


async def test_what_only_backfill_has_brought_can_be_taken_out_again(run: Run, database: Database) -> None:
    system = desk(4)
    await run(intake(system))
    answer = Review(ticket_key="desk:2", roles=["Network"], strength=5, origin="a note", at=datetime.now(UTC))
    database.call(lambda session: session.add(answer))
    assert database.call(take_out, "desk") == 3
    assert set(rows(database)) == {"desk:2"}
    assert (await run(intake(system))).tally.new == 3


async def test_a_system_that_cannot_list_its_history_is_named(run: Run) -> None:
    from dataclasses import replace

    system = desk(0)
    system.capabilities = replace(system.capabilities, lists_history=False)
    with pytest.raises(NotPossibleYet, match="rolecall import"):
        await run(intake(system))
