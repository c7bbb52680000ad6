"""Three servers have the same schedule: what is due at night happens once, also when one dies in the middle of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agent.store.database import Database
from tests import processes
from tests.postgres import new_database

SERVERS = 3

Server = subprocess.Popen[str]


@contextmanager
def server(url: str, guard: str, command: list[str], log: Path) -> Iterator[Server]:
    """Run a server for the length of a block; what it logs goes to a file, its answers come through the pipe."""
    words = [sys.executable, "-m", "tests.proofs.faults.nightly_server", url, guard, *command]
    pipe = subprocess.PIPE
    with log.open("ab") as out, subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=out, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def await_answer(server: Server, answer: str) -> None:
    """Read up to an answer, past what is logged."""
    assert server.stdout is not None
    while (line := server.stdout.readline()).strip() != answer:
        assert line, "the server ended"


def begin(servers: list[Server], night: int) -> None:
    """Tell all servers of a night before any of them answers."""
    for each in servers:
        assert each.stdin is not None
        each.stdin.write(f"{night}\n")
        each.stdin.flush()


def runs(url: str, folder: Path, nights: int, guard: str) -> int:
    """Let the nights pass, kill the server that runs the job in the middle one, and return how often it ran."""
    Database.open(url).close()
    done, go_on = folder / "runs", folder / "go-on"
    done.touch()
    go_on.touch()
    command = ["sh", "-c", f"echo $PPID >> {done}; until test -e {go_on}; do sleep 0.05; done"]
    with ExitStack() as stack:
        servers = [stack.enter_context(server(url, guard, command, folder / "log")) for _ in range(SERVERS)]
        for each in servers:
            await_answer(each, "ready")
        for night in range(nights):
            before = len(done.read_text().split())
            if night == nights // 2:
                go_on.unlink()
                begin(servers, night)
                while len(running := done.read_text().split()) == before:
                    time.sleep(0.01)
                victim = next(each for each in servers if each.pid == int(running[before]))
                processes.kill(victim)
                servers.remove(victim)
                go_on.touch()
            else:
                begin(servers, night)
            for each in servers:
                await_answer(each, "over")
    return len(done.read_text().split())


def test_each_night_has_one_run(cluster: str, tmp_path: Path) -> None:
    assert runs(new_database(cluster), tmp_path, 100, "guarded") == 100


def test_without_the_row_of_the_night_every_server_runs(cluster: str, tmp_path: Path) -> None:
    """Control."""
    assert runs(new_database(cluster), tmp_path, 4, "unguarded") > 4
