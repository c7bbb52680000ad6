"""Three servers on one PostgreSQL: what a dead one leaves behind is done by the others, once and in order.

Each promise has its control: with the guard off, the same harness has to find the damage.
"""

from __future__ import annotations

import random
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.postgres import Postgres, new_database
from tests.proofs.faults.mishaps import DISCONNECT, RESTART_POSTGRES, SUSPEND
from tests.proofs.faults.storm import storm
from tests.proofs.faults.stub_desk import Moods, StubDesk

pytestmark = pytest.mark.anyio

CALM = Moods(0, 0, 0, 0, 0)
QUICK = {"stalled_seconds": 5.0, "lease_seconds": 3.5}
FOR_EVER = 10_000.0
ENOUGH_FOR_BOTH = 40  # events: more than one server takes at once


def desk(moods: Moods) -> StubDesk:
    return StubDesk(moods, random.Random(7))


def logged(folder: Path, word: str) -> int:
    """Count an event, or an outcome, in the log of all servers."""
    return (folder / "server.log").read_text().count(f': "{word}"')


async def test_servers_that_die_and_never_come_back_lose_nothing(cluster: str, tmp_path: Path) -> None:
    """The first dies between writing down that it will comment and doing so, the second at random."""
    verdict = await storm(
        tmp_path,
        tickets=8,
        corrections=2,
        lives=[None, None],
        replicas=3,
        database_url=new_database(cluster),
        stop_at="before:post",
        **QUICK,
    )
    assert verdict.kills == 2
    assert logged(tmp_path, "event_taken_back")
    assert verdict.acknowledged == 24
    assert verdict.damage == (0, 0, 0), verdict


async def test_what_nobody_takes_over_is_stranded(cluster: str, tmp_path: Path) -> None:
    """Control: nobody is ever taken for dead."""
    verdict = await storm(
        tmp_path,
        tickets=ENOUGH_FOR_BOTH,
        corrections=0,
        lives=[None],
        replicas=2,
        stub=desk(CALM),
        database_url=new_database(cluster),
        stop_at="before:post",
        stalled_seconds=FOR_EVER,
        patience=5,
    )
    assert verdict.lost


@pytest.mark.parametrize("lease_seconds", [3.5, FOR_EVER])
async def test_a_suspended_server_does_not_go_on_where_it_was(
    cluster: str, tmp_path: Path, lease_seconds: float
) -> None:
    """It stops between writing down that it will comment and doing so. Control: a lease that never lapses."""
    verdict = await storm(
        tmp_path,
        tickets=ENOUGH_FOR_BOTH,
        corrections=0,
        lives=[SUSPEND],
        replicas=2,
        stub=desk(CALM),
        database_url=new_database(cluster),
        stop_at="before:post",
        stalled_seconds=5.0,
        lease_seconds=lease_seconds,
    )
    assert verdict.suspensions == 1
    assert not verdict.lost
    assert logged(tmp_path, "event_taken_back")
    assert logged(tmp_path, "superseded")  # its checkpoint is refused either way
    assert bool(verdict.duplicates) == (lease_seconds == FOR_EVER)


async def test_servers_suspended_at_any_moment_do_no_damage(cluster: str, tmp_path: Path) -> None:
    verdict = await storm(
        tmp_path, tickets=120, lives=[SUSPEND] * 20, replicas=3, database_url=new_database(cluster), **QUICK
    )
    assert verdict.suspensions == 20
    assert logged(tmp_path, "lease_lapsed") >= 10
    assert verdict.damage == (0, 0, 0), verdict


async def test_a_database_that_crashes_and_drops_connections_loses_nothing(tmp_path: Path) -> None:
    """Refused deliveries are sent again; servers find back by themselves."""
    with tempfile.TemporaryDirectory() as folder, closing(Postgres(Path(folder))) as postgres:
        verdict = await storm(
            tmp_path,
            tickets=120,
            lives=([DISCONNECT] * 5 + [RESTART_POSTGRES]) * 6,
            longest_pause=1.5,
            replicas=3,
            postgres=postgres,
            database_url=new_database(postgres.address),
        )
    assert verdict.damage == (0, 0, 0), verdict
    assert not verdict.dead
    assert set(verdict.answers) <= {200, 202, 503}
    assert len(verdict.recoveries) == 6
    assert max(verdict.recoveries) < 10


@pytest.mark.parametrize("own_clock", [False, True])
async def test_a_wrong_clock_changes_neither_order_nor_pauses(cluster: str, tmp_path: Path, own_clock: bool) -> None:
    """Control: servers that go by their own clocks try again before the helpdesk allows."""
    helpdesk = desk(Moods(0, 0.3, 0, 0, 0))
    verdict = await storm(
        tmp_path,
        tickets=10,
        corrections=2,
        replicas=2,
        stub=helpdesk,
        clocks=[-600, -600 if own_clock else 600],
        own_clock=own_clock,
        database_url=new_database(cluster),
    )
    assert verdict.damage == (0, 0, 0), verdict
    assert bool(helpdesk.too_early) == own_clock
