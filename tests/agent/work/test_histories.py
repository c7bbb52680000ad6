"""Random histories of one desk: told, told again, refused, timed out, killed, replayed, with a clock that jumps.

Hypothesis drives the real inbox, engine and speaker on a real database, with the desk in memory. Whatever happened, no
ticket has two comments, events of a ticket are handled in order, and in the end everything is done.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from agent.metrics import Metrics
from agent.notes.speak import Speaker
from agent.store import dead_letters, inbox, status
from agent.store.arrivals import Arrival, accept
from agent.store.database import Database
from agent.store.inbox import Job
from agent.store.tables import Inbox, utcnow
from agent.work.attempt import Attempts, Breakers
from agent.work.engine import Engine
from connectors.base import Stored
from connectors.errors import Ambiguous, Permanent, Transient
from connectors.events import Event, Kind, Ticket
from tests.desk import Desk, note
from tests.patience import until

TICKETS = st.sampled_from("123")
QUICK = (0.0,) * 200
ALL = float("inf")
FAULTS = st.sampled_from(
    [
        Transient("503"),
        Transient("429", retry_after=0.0),
        Ambiguous("stored, then 500"),
        Permanent("403"),
    ]
)


class Killed(BaseException):
    """The process ends here."""


class BlindDesk(Desk):
    """Shows nobody a comment."""

    async def read_ticket(self, ticket_id: str) -> Ticket:
        return replace(await super().read_ticket(ticket_id), messages=())


@cache
def empty_database() -> bytes:
    """Return the file of a database with nothing in it: upgrading takes longer than most histories."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "db.sqlite3"
        Database.open_file(file).close()
        return file.read_bytes()


class History(RuleBasedStateMachine):
    """One installation and its desk. The engine works only when the history lets it."""

    blind = False

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name) / "db.sqlite3"
        file.write_bytes(empty_database())
        self._database = Database(f"sqlite:///{file}")
        self._desk = BlindDesk() if self.blind else Desk()
        self._told: dict[str, list[str]] = defaultdict(list)
        self._handled: dict[str, list[str]] = defaultdict(list)
        self._replayed: set[str] = set()
        self._jump = timedelta(0)
        self._death: str | None = None

    @initialize()
    def file_tickets(self) -> None:
        for _ in range(3):
            self._desk.create("VPN is down")

    @rule(ticket=TICKETS, late=st.booleans())
    def deliver(self, ticket: str, late: bool) -> None:
        name = f"{ticket}-{len(self._told[ticket])}"
        self._told[ticket].append(name)
        self._accept(ticket, name, utcnow() + self._jump - timedelta(minutes=10 * late))

    @precondition(lambda self: any(self._told.values()))
    @rule(data=st.data())
    def deliver_again(self, data: Any) -> None:
        ticket = data.draw(st.sampled_from([t for t, names in self._told.items() if names]))
        assert not self._accept(ticket, data.draw(st.sampled_from(self._told[ticket])), utcnow())

    @rule(faults=st.lists(FAULTS, min_size=1, max_size=3))
    def misbehave(self, faults: list[Any]) -> None:
        self._desk.faults += faults

    @rule(jump=st.sampled_from([-3_600, 3_600]))
    def turn_the_clock(self, jump: int) -> None:
        """What is accepted from now on bears another time of day."""
        self._jump += timedelta(seconds=jump)

    @rule(where=st.sampled_from(["before", "after"]))
    def kill(self, where: str) -> None:
        """Let the process die before or after the next comment is stored."""
        self._death = where
        self.work()

    @rule(attempts=st.integers(1, 20))
    def work(self, attempts: int = 20) -> None:
        """Work until nothing is open, or the server is stopped after some attempts."""
        asyncio.run(self._work(attempts))

    @rule()
    def retry_dead_letters(self) -> None:
        for seq in self._database.call(dead_letters.dead):
            self._replayed.add(self._database.call(lambda s, seq=seq: s.get(Inbox, seq).ticket_key.partition(":")[2]))
            assert self._database.call(dead_letters.retry, seq, utcnow())

    def teardown(self) -> None:
        self._death, self._desk.faults = None, []
        self.retry_dead_letters()
        asyncio.run(self._work(ALL))
        states = self._database.call(status.counts)
        self._database.close()
        self._folder.cleanup()
        assert states == {}
        for ticket, names in self._told.items():
            assert len(self._desk.comments(ticket)) == bool(names)
            first = list(dict.fromkeys(self._handled[ticket]))
            assert sorted(first) == sorted(names)
            assert ticket in self._replayed or first == names

    def _accept(self, ticket: str, name: str, at: Any) -> bool:
        (fresh,) = self._database.call(accept, [Arrival("desk", Event(Kind.COMMENTED, ticket, name), b"", at)])
        return fresh

    async def _work(self, attempts: float) -> None:
        """Run an engine, as a process that starts now would, until nothing is open or it is killed or stopped."""
        left = attempts
        speaker = Speaker(self._database, b"key", settle=timedelta(0))
        post = self._desk.post_comment

        async def mortal(ticket_id: str, text: str) -> Stored:
            death, self._death = self._death, None
            stored = await post(ticket_id, text) if death != "before" else Stored("")
            if death:
                engine.stop()
                raise Killed
            return stored

        self._desk.post_comment = mortal  # type: ignore[method-assign]

        async def handler(job: Job) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                engine.stop()
            self._handled[job.event.ticket_id].append(job.event.delivery_id)
            ticket = await self._desk.read_ticket(job.event.ticket_id)
            await speaker.say(self._desk, ticket, note(f"says {job.event.delivery_id}"))

        breakers = Breakers(Metrics(), ["desk"], failures=3, pauses=(0.001,))
        attempts = Attempts(self._database, handler, Metrics(), breakers, QUICK, Random(1))
        engine = Engine(self._database, attempts, asyncio.Event(), concurrency=2)
        task = asyncio.create_task(engine.run())
        await until(lambda: task.done() or not set(self._database.call(status.counts)) & set(inbox.OPEN))
        self._desk.post_comment = post  # type: ignore[method-assign]
        engine.stop()
        await task


class Blind(History):
    """The same with a desk that shows nobody a comment."""

    blind = True


def run(machine: type[History], histories: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=histories,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            print_blob=False,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_whatever_happens_each_ticket_gets_one_comment_and_its_events_in_order() -> None:
    run(History, histories=10, steps=30)


@pytest.mark.parametrize("blind", [False, True])
def test_a_speaker_that_sees_no_mark_is_found_out(blind: bool) -> None:
    """Control: by the one history that needs the mark, since random ones may lack it."""
    history = Blind() if blind else History()
    history.file_tickets()
    history.misbehave([Ambiguous("stored, then 500")])
    history.deliver("1", late=False)
    history.work()
    with pytest.raises(AssertionError, match="2 == True") if blind else nullcontext():
        history.teardown()
