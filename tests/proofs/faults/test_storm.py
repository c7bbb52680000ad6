"""Whatever dies and whatever the helpdesk answers: nothing acknowledged is lost, nothing said twice, nothing reversed.

Each promise has its control: with the guard off, the same harness has to find the damage.
"""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from tests.postgres import new_database
from tests.proofs.faults.storm import storm
from tests.proofs.faults.stub_desk import CALM, Moods, StubDesk

pytestmark = pytest.mark.anyio

WRITES = ("file", "record", "want", "attempt", "posted", "review", "retry", "finish")
CALLS = tuple(f"{when}:{call}#2" for call in ("post", "edit") for when in ("before", "after"))


def moments(*queries: str) -> tuple[str, ...]:
    """Name three deaths around each query: before it, between its statements and its commit, and after."""
    return tuple(f"{when}:{query}#{n}" for query in queries for n, when in enumerate(("before", "within", "after"), 2))


ON_SQLITE = ("before:accept#2", "after:accept#3", *moments("claim", *WRITES), *CALLS)
"""To accept is one statement there, without a middle."""

ON_POSTGRESQL = (*moments("accept", "take", *WRITES), *CALLS)


def desk(**moods: object) -> StubDesk:
    return StubDesk(Moods(**{**CALM.__dict__, **moods}), random.Random(7))


async def test_deaths_at_any_moment_lose_nothing_and_say_nothing_twice(tmp_path: Path) -> None:
    verdict = await storm(tmp_path, tickets=8, corrections=2, lives=[None, "after:post", "before:finish#5"])
    assert verdict.kills == 3
    assert verdict.acknowledged == 24
    assert verdict.damage == (0, 0, 0), verdict


async def test_without_looking_for_our_mark_a_stored_comment_is_repeated(tmp_path: Path) -> None:
    """Control."""
    verdict = await storm(
        tmp_path, tickets=8, corrections=0, stub=desk(stored_then_500=0.5), blind=True, settle_seconds=0
    )
    assert verdict.duplicates


async def test_a_slow_helpdesk_is_waited_for_before_we_look(tmp_path: Path) -> None:
    verdict = await storm(
        tmp_path, tickets=6, corrections=0, stub=desk(slow=0.6, slow_seconds=(1.2, 2.0)), settle_seconds=2.5
    )
    assert verdict.damage == (0, 0, 0), verdict


async def test_without_the_settle_time_a_late_request_lands_behind_the_look(tmp_path: Path) -> None:
    """Control."""
    stub = desk(slow=0.6, slow_seconds=(1.2, 2.0))
    verdict = await storm(tmp_path, tickets=8, corrections=0, stub=stub, settle_seconds=0)
    assert verdict.duplicates


async def test_without_turns_the_events_of_a_ticket_overtake_each_other(tmp_path: Path) -> None:
    """Control: a trigger makes every event due as soon as it is stored."""

    def due_at_once(file: Path) -> None:
        database = sqlite3.connect(file)
        database.execute(
            "CREATE TRIGGER no_turns AFTER INSERT ON inbox BEGIN"
            " UPDATE inbox SET due_at = received_at WHERE seq = NEW.seq; END"
        )
        database.commit()
        database.close()

    verdict = await storm(tmp_path, tickets=8, corrections=3, stub=desk(unavailable=0.3), prepare=due_at_once)
    assert verdict.inversions


async def test_a_death_before_within_or_after_any_write_does_no_damage(tmp_path: Path) -> None:
    verdict = await storm(tmp_path, tickets=250, lives=ON_SQLITE)
    assert verdict.kills == len(ON_SQLITE)
    assert verdict.damage == (0, 0, 0), verdict


async def test_nor_does_one_on_postgresql(cluster: str, tmp_path: Path) -> None:
    verdict = await storm(tmp_path, tickets=250, lives=ON_POSTGRESQL, database_url=new_database(cluster))
    assert verdict.kills == len(ON_POSTGRESQL)
    assert verdict.damage == (0, 0, 0), verdict


async def test_twenty_thousand_events_come_in_order_and_once_whatever_the_helpdesk_answers(tmp_path: Path) -> None:
    # Each 429 asks for a second's silence: 200 of them, else that would be most of the time.
    moods = Moods(unavailable=0.1, too_many=0.005, stored_then_500=0.1, broken_off=0.05, slow=0.05, slow_seconds=(1, 2))
    stub = StubDesk(moods, random.Random(11))
    verdict = await storm(tmp_path, tickets=1_000, corrections=19, stub=stub, settle_seconds=2.5)
    assert verdict.acknowledged == 20_000
    assert verdict.damage == (0, 0, 0), verdict


async def test_deaths_beside_a_helpdesk_that_takes_seconds_repeat_nothing(tmp_path: Path) -> None:
    stub = desk(slow=1, slow_seconds=(2, 4))
    verdict = await storm(tmp_path, tickets=200, corrections=4, lives=[None] * 30, stub=stub, settle_seconds=6)
    assert verdict.kills == 30
    assert verdict.damage == (0, 0, 0), verdict
