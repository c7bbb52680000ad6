"""Three servers have the same schedule: what is due at night happens once, also when one dies in the middle of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agent.store.database import Database
from tests import processes
from tests.postgres import new_database

SERVERS = 3
START_SECONDS = 8.0
NIGHT_SECONDS = 0.4


def runs(url: str, folder: Path, nights: int, guard: str) -> int:
    """Let the nights pass, kill a server in the middle of a run, and return how often the job ran."""
    Database.open(url).close()
    done, log = folder / f"{guard}-runs", folder / "log"
    done.touch()
    first = time.time() + START_SECONDS
    arguments = [url, str(first), str(NIGHT_SECONDS), str(nights), guard]
    command = ["sh", "-c", f"echo $PPID >> {done}; sleep {NIGHT_SECONDS / 2}"]
    servers = [
        processes.start("tests.proofs.faults.nightly_server", *arguments, *command, log=log) for _ in range(SERVERS)
    ]
    try:
        while len(running := done.read_text().split()) < nights // 2:
            assert time.time() < first + nights * NIGHT_SECONDS, log.read_text()[-3000:]
            time.sleep(0.01)
        (victim,) = (server for server in servers if server.pid == int(running[-1]))
        processes.kill(victim)
        for server in servers:
            assert server.wait(timeout=60 + nights) == 0 or server is victim, log.read_text()[-3000:]
    finally:
        for server in servers:
            processes.kill(server)
    return len(done.read_text().split())


@pytest.mark.parametrize("nights", [10, 100])
def test_each_night_has_one_run(cluster: str, tmp_path: Path, nights: int) -> None:
    assert runs(new_database(cluster), tmp_path, nights, "guarded") == nights


def test_without_the_row_of_the_night_every_server_runs(cluster: str, tmp_path: Path) -> None:
    """Control."""
    assert runs(new_database(cluster), tmp_path, 4, "unguarded") > 4
