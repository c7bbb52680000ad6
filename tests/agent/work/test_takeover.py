"""What a dead server had in hand goes to one other; if it was only suspended, it has no say in it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain
from unittest.mock import AsyncMock

import psycopg
import pytest
from procrastinate import App, PsycopgConnector
from procrastinate.jobs import Job as StalledJob
from psycopg.rows import dict_row

from agent.metrics import Metrics
from agent.store import deferred, inbox
from agent.store.arrivals import Arrival, accept
from agent.store.database import Database
from agent.store.inbox import Job, Superseded
from agent.store.tables import utcnow
from agent.work.attempt import Attempts, Breakers
from agent.work.cluster import ClusterEngine
from agent.work.lease import Lease
from connectors.events import Event, Kind
from tests.patience import until
from tests.postgres import ONE_WORKER, new_database

pytestmark = ONE_WORKER

TICKETS = 20
SILENT = 10.0  # seconds without a heartbeat


@pytest.fixture
def database(cluster: str) -> Iterator[Database]:
    opened = Database.open(new_database(cluster))
    opened.call(accept, [Arrival("desk", Event(Kind.CREATED, str(n), f"d{n}"), b"", utcnow()) for n in range(TICKETS)])
    yield opened
    opened.close()


def address(database: Database) -> str:
    return database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def stalled(database: Database) -> list[StalledJob]:
    """Return what the servers' look after each other finds."""

    async def look() -> list[StalledJob]:
        app = App(connector=PsycopgConnector(conninfo=address(database), min_size=1, max_size=1))
        async with app.open_async():
            jobs = app.job_manager
            return list(await jobs.get_stalled_jobs(queue=deferred.QUEUE, seconds_since_heartbeat=SILENT))

    return asyncio.run(look())


def take_back(database: Database) -> list[int]:
    return list(database.call(inbox.take_back, stalled(database), utcnow()))


class Server:
    """One worker's view of the queue."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.engine.begin() as connection:
            sql = "INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id"
            self.worker = connection.exec_driver_sql(sql).scalar_one()

    def fetch(self) -> tuple[dict[str, int], Job]:
        """Take the next job; return what `MIRROR_EVENT` needs to know of it, and the event."""
        with psycopg.connect(address(self.database), row_factory=dict_row) as connection:
            sql = "SELECT * FROM procrastinate_fetch_job_v2(ARRAY[%s]::varchar[], %s)"
            row = connection.execute(sql, (deferred.QUEUE, self.worker)).fetchone()
        assert row is not None
        job = self.database.call(inbox.take, row["args"]["seq"])
        assert job is not None
        return {"job": row["id"], "worker": self.worker, "attempts": row["attempts"]}, job

    def fall_silent(self) -> None:
        with self.database.engine.begin() as connection:
            sql = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute' WHERE id = %s"
            connection.exec_driver_sql(sql, (self.worker,))

    def follow(self, job: dict[str, int]) -> None:
        with self.database.engine.begin() as connection:
            connection.exec_driver_sql(deferred.MIRROR_EVENT, job)


def jobs(database: Database) -> list[tuple[str, int | None]]:
    with database.engine.connect() as connection:
        sql = "SELECT status, worker_id FROM procrastinate_jobs ORDER BY id"
        return [(status, worker) for status, worker in connection.exec_driver_sql(sql)]


def test_of_servers_that_take_back_at_once_one_gets_each_event(database: Database) -> None:
    dead = Server(database)
    held = [dead.fetch()[1].seq for _ in range(TICKETS)]
    assert take_back(database) == []
    dead.fall_silent()
    seen = stalled(database)
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: database.call(inbox.take_back, seen, utcnow()), range(4)))
    assert sorted(chain(*taken)) == held
    with database.engine.connect() as connection:
        assert {n for (n,) in connection.exec_driver_sql("SELECT crashes FROM inbox")} == {1}


def test_a_server_that_wakes_up_can_neither_end_nor_delay_what_others_have(database: Database) -> None:
    sleeper, other = Server(database), Server(database)
    its_job, its_event = sleeper.fetch()
    sleeper.fall_silent()
    assert take_back(database) == [its_event.seq]
    with pytest.raises(Superseded):
        database.call(inbox.finish, its_event, utcnow())
    job, event = other.fetch()
    assert event.seq == its_event.seq
    for checkpoint in (
        lambda: database.call(inbox.finish, its_event, utcnow()),
        lambda: database.call(inbox.retry, its_event, utcnow() + timedelta(hours=1), "late"),
        lambda: database.call(inbox.bury, its_event, "late", utcnow()),
    ):
        with pytest.raises(Superseded):
            checkpoint()
    sleeper.follow(its_job)
    assert jobs(database)[0] == ("doing", other.worker)
    database.call(inbox.finish, event, utcnow())
    other.follow(job)
    assert len(jobs(database)) == TICKETS - 1


def test_a_server_that_was_suspended_between_look_and_act_takes_nothing_from_others(database: Database) -> None:
    dead, other = Server(database), Server(database)
    _, event = dead.fetch()
    dead.fall_silent()
    seen_long_ago = stalled(database)
    assert take_back(database) == [event.seq]
    _, taken = other.fetch()
    assert taken.seq == event.seq
    assert database.call(inbox.take_back, seen_long_ago, utcnow()) == []
    assert jobs(database)[0] == ("doing", other.worker)
    database.call(inbox.finish, taken, utcnow())  # and the event is still the other's


def test_a_job_waits_as_long_as_its_event(database: Database) -> None:
    server = Server(database)
    job, event = server.fetch()
    due = utcnow() + timedelta(hours=1)
    database.call(inbox.retry, event, due, "down")
    server.follow(job)
    with database.engine.connect() as connection:
        sql = "SELECT status, scheduled_at FROM procrastinate_jobs WHERE id = %s"
        assert tuple(connection.exec_driver_sql(sql, (job["job"],)).one()) == ("todo", due)


def test_an_event_whose_outcome_could_not_be_kept_is_queued_again(database: Database) -> None:
    server = Server(database)
    job, _ = server.fetch()
    server.follow(job)
    assert jobs(database) == [("todo", None)] * TICKETS


def test_an_event_is_not_blamed_for_a_server_that_signs_off(database: Database) -> None:
    """It lost touch with the database, and could not keep the outcome."""
    server = Server(database)
    _, event = server.fetch()
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM procrastinate_workers WHERE id = %s", (server.worker,))
    assert take_back(database) == [event.seq]
    with database.engine.connect() as connection:
        assert {n for (n,) in connection.exec_driver_sql("SELECT crashes FROM inbox")} == {0}
    again, _ = Server(database).fetch()
    assert again["attempts"] == 1


@pytest.mark.parametrize("signs_off", [False, True])
def test_an_event_in_hand_at_a_death_does_not_wait_for_itself(database: Database, signs_off: bool) -> None:
    """The server that took it over lost touch with the database before the outcome was kept; others have it now."""
    dead, other = Server(database), Server(database)
    _, event = dead.fetch()
    dead.fall_silent()
    take_back(database)
    job, taken = other.fetch()
    assert taken.seq == event.seq
    if signs_off:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM procrastinate_workers WHERE id = %s", (other.worker,))
        assert take_back(database) == [event.seq]
    else:
        other.follow(job)
    again = database.call(inbox.take, event.seq)
    assert again is not None
    database.call(inbox.finish, again, utcnow())


class Paused(Lease):
    """A lease that lapses, or not, while its server reads which jobs look stalled: its own are among them."""

    def __init__(self, database: Database, lapses: bool) -> None:
        super().__init__(60)
        self.database, self.lapses = database, lapses

    async def get_stalled_jobs(self, **_: object) -> list[StalledJob]:
        seen = await asyncio.to_thread(stalled, self.database)
        self._until = 0.0 if self.lapses else self._until
        return seen


@pytest.mark.anyio
@pytest.mark.parametrize("lapses", [True, False])
async def test_a_server_that_paused_does_not_take_itself_for_dead(database: Database, lapses: bool) -> None:
    server = Server(database)
    _, event = await asyncio.to_thread(server.fetch)
    server.fall_silent()
    attempts = Attempts(database, AsyncMock(), Metrics(), Breakers(Metrics(), ["desk"]))
    engine = ClusterEngine(database, attempts, 1)
    looking = asyncio.create_task(engine._look_after(lease := Paused(database, lapses), lease))
    if lapses:
        await looking
    else:  # the control: somebody else's are taken back
        await until(lambda: jobs(database)[0][0] == "todo")
        looking.cancel()
    assert (jobs(database)[0] == ("doing", server.worker)) is lapses
    with database.engine.connect() as connection:
        sql = "SELECT crashes FROM inbox WHERE seq = %s"
        assert connection.exec_driver_sql(sql, (event.seq,)).scalar_one() == (0 if lapses else 1)


def test_a_lease_that_lapsed_stays_so() -> None:
    kept, lapsed = Lease(60), Lease(0)
    assert (kept.holds(), lapsed.holds()) == (True, False)
    lapsed.renew(10**9)
    assert not lapsed.holds()


def test_what_was_in_hand_at_a_death_is_worked_on_one_at_a_time(database: Database) -> None:
    """So the next death tells which of them it was."""
    dead = Server(database)
    first, second = (dead.fetch()[1].seq for _ in range(2))
    dead.fall_silent()
    take_back(database)
    job = database.call(inbox.take, first)
    assert job is not None
    assert database.call(inbox.take, second) is None
    neighbour = database.call(inbox.take, second + 1)
    assert neighbour is not None
    database.call(inbox.finish, job, utcnow())
    assert database.call(inbox.take, second) is not None
