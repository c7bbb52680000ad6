"""How real processes end: a training by SIGTERM, without traces; a server by damage, with an exit code that says so."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from agent.store.database import Database
from agent.store.tables import Training
from tests.patience import PATIENCE_SECONDS
from tests.proofs.bench import abuse
from tests.training_processes import alive, training_processes
from tests.upgrade.helpdesk import Helpdesk

HISTORY = Path(__file__).parents[2] / "upgrade" / "history.csv"
DAMAGED, TERMINATED = 74, 143
PAGE = 4_096


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """Return a folder with settings, reviews imported."""
    tickets = Path(__file__).parents[2] / "tickets"
    (tmp_path / "agent.toml").write_text(
        f'rules = "{tickets / "rules.toml"}"\nroles = "{tickets / "roles.toml"}"\n[learning]\nthreads = 1\n'
    )
    done = subprocess.run(command(tmp_path, "import", str(HISTORY), "--source", "history"), capture_output=True)
    assert done.returncode == 0, done.stderr
    return tmp_path


def command(folder: Path, *words: str) -> list[str]:
    places = ["--config", str(folder / "agent.toml"), "--data", str(folder / "data")]
    return [sys.executable, "-m", "agent.cli", *words, *places]


def await_(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ledger(folder: Path) -> list[tuple[str, str | None]]:
    with closing(Database.open_file(folder / "data/rolecall.sqlite3")) as database:
        return database.call(lambda s: [(run.outcome, run.reason) for run in s.exec(select(Training))])


def left(folder: Path) -> list[str]:
    """Return what a training has in work: folders that no other one needs."""
    data = folder / "data"
    return [path.name for path in (*(data / "training").glob("fit-*"), *(data / "models").glob(".*-*"))]


def begin(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start a training, and return it and the process that fits, once that has a folder to work in."""
    training = subprocess.Popen(command(folder, "train"), stderr=subprocess.DEVNULL)
    await_(lambda: training_processes(training.pid) and left(folder))
    return training, training_processes(training.pid)[0]


def test_a_training_that_sigterm_ends_leaves_nothing_and_says_so(installation: Path) -> None:
    training, fitting = begin(installation)
    training.send_signal(signal.SIGTERM)
    assert training.wait() == TERMINATED
    assert not alive(fitting)
    assert left(installation) == []
    assert list((installation / "data/models").glob("2*")) == []
    ((outcome, reason),) = ledger(installation)
    assert (outcome, bool(reason)) == ("failed", True)


def test_control_a_killed_one_is_recorded_as_running_until_the_next(installation: Path) -> None:
    training, fitting = begin(installation)
    training.kill()
    training.wait()
    await_(lambda: not alive(fitting))  # it ends by itself: nobody holds its input any more
    assert ledger(installation) == [("running", None)]
    assert left(installation) != []


@pytest.fixture
def desk() -> Iterator[tuple[Helpdesk, str]]:
    helpdesk = Helpdesk()
    with helpdesk.serving() as address:
        yield helpdesk, address


def test_a_server_whose_database_is_damaged_under_it_ends_with_an_exit_code_of_its_own(
    tmp_path: Path, desk: tuple[Helpdesk, str]
) -> None:
    helpdesk, address = desk
    with abuse.server(tmp_path, address) as running:
        hooks = f"http://127.0.0.1:{running.port}/hooks/django-helpdesk/{abuse.SECRET}"
        for number in range(20):
            answer = httpx.post(hooks, json=helpdesk.file(f"VPN {number}", "It drops " * 500), timeout=PATIENCE_SECONDS)
            assert answer.status_code == 202
        await_(lambda: all(helpdesk.comments(number) for number in helpdesk.tickets))
        damage(tmp_path / "data/rolecall.sqlite3")

        def ended() -> bool:
            with suppress(httpx.TransportError):
                httpx.post(hooks, json=helpdesk.file("VPN", "It drops again"), timeout=PATIENCE_SECONDS)
            return running.process.poll() is not None

        await_(ended)
    assert running.process.returncode == DAMAGED
    said = (tmp_path / "log").read_text()
    assert "restore it from a backup" in said  # whichever page was read first
    assert "Traceback" not in said.rpartition("rolecall:")[2]


def damage(file: Path) -> None:
    """Overwrite every page but the first, as a failing disk may, in the log of what is not yet in its place too."""
    for path, begin in ((file, PAGE), (file.with_name(f"{file.name}-wal"), 0)):
        if path.exists():
            with path.open("r+b") as opened:
                opened.seek(begin)
                opened.write(b"\xff" * max(0, path.stat().st_size - begin))


def test_a_training_of_a_thousand_labels_ends_or_names_the_limit(tmp_path: Path, desk: tuple[Helpdesk, str]) -> None:
    examples = [{"text": f"case {n} of device {n % 1_000}", "label": f"label {n % 1_000}"} for n in range(2_000)]
    body = {"model_name": "wide", "trainer": "contrastive", "examples": examples}
    with abuse.server(tmp_path, desk[1], {"ROLECALL_API__JOB_TIMEOUT_SECONDS": "20"}) as running:
        url, headers = f"http://127.0.0.1:{running.port}", {"X-API-Key": abuse.KEY}
        with httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False) as client:
            asked = client.post("/v1/train", json=body)
            assert asked.is_success, asked.text
            job = f"/v1/jobs/{asked.json()['job_id']}"
            await_(lambda: client.get(job).json()["status"] in ("failed", "completed"))
            told = client.get(job).json()
    assert told["status"] == "completed" or "20 s, [api] job_timeout_seconds" in told["error"]
    print(told["status"], told["error"])
