"""A server installed from the short list, beside a real helpdesk: it answers with a model that another one trained."""

from __future__ import annotations

import csv
import json
import subprocess
import venv
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from agent.demo.helpdesk import HelpdeskServer, HelpdeskUnavailable, ensure_environment
from agent.demo.installation import Installation
from agent.demo.staff import Staff
from agent.errors import NotPossibleYet
from tests.tickets.conversations import load_conversations

ROOT = Path(__file__).parents[3]
TICKETS = ROOT / "tests" / "tickets"
KEY = "a-key-of-this-test-alone"
TEXT = "VPN is down"


class Replica(Installation):
    """Runs every command in an environment of its own."""

    rolecall: Path | None = None

    def command(self, *words: str) -> list[str]:
        command = super().command(*words)
        return [str(self.rolecall), *command[3:]] if self.rolecall else command


@pytest.fixture(scope="module")
def rolecall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install what `deploy/serving-requirements.txt` lists, as `deploy/README.md` says, and return the command."""
    folder = tmp_path_factory.mktemp("serving") / "venv"
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    listed = ["--no-deps", "--require-hashes", "--requirement", "deploy/serving-requirements.txt"]
    for what in (listed, ["--no-deps", "."]):
        done = subprocess.run([*pip, *what], cwd=ROOT, capture_output=True, text=True)
        if "Could not find a version" in done.stderr:
            pytest.skip("no package index here")
        assert done.returncode == 0, done.stderr[-2_000:]
    return folder / "bin" / "rolecall"


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory, rolecall: Path) -> Iterator[tuple[HelpdeskServer, Replica]]:
    """Train where everything is installed, then serve where the short list is."""
    try:
        python = ensure_environment()
    except HelpdeskUnavailable as error:
        pytest.skip(f"no real helpdesk here: {error}")
    folder = tmp_path_factory.mktemp("replica")
    with (
        Replica(folder / "rolecall", TICKETS / "rules.toml", TICKETS / "roles.toml") as installation,
        HelpdeskServer(python, folder / "helpdesk", installation.webhook_url) as helpdesk,
    ):
        installation.configure(
            helpdesk,
            triage={"silent_below": 0},
            work={"poll_seconds": 60, "settle_seconds": 1},
            learning={"trainer": "frozen", "threads": 1},
            api={"key": KEY},
        )
        installation.run("import", str(history(folder)))
        installation.run("train")
        installation.rolecall = rolecall
        installation.start()
        yield helpdesk, installation


def history(folder: Path) -> Path:
    with (file := folder / "tickets.csv").open("w", newline="", encoding="utf-8") as target:
        rows = csv.writer(target)
        rows.writerow(["id", "created_at", "subject", "body", "role"])
        for c in load_conversations():
            if len(c.true_roles) == 1:
                rows.writerow([c.id, c.created_at.isoformat(), c.subject, c.body, c.true_roles[0]])
    return file


def ask(installation: Installation, address: str, body: object) -> httpx.Response:
    with httpx.Client(base_url=installation.url, headers={"X-API-Key": KEY}, trust_env=False) as client:
        return client.post(address, json=body)


def test_the_environment_holds_nothing_of_what_only_training_needs(rolecall: Path) -> None:
    program = "import importlib.metadata as m, json; print(json.dumps([d.name.lower() for d in m.distributions()]))"
    done = subprocess.run([str(rolecall.with_name("python")), "-c", program], capture_output=True, check=True)
    there = set(json.loads(done.stdout))
    assert "onnxruntime" in there
    heavy = {"torch", "setfit", "sentence-transformers", "transformers", "matplotlib", "cleanlab", "pyarrow", "scipy"}
    assert there & (heavy | {"scikit-learn", "datasets", "pandas", "onnx"}) == set()


def test_a_webhook_is_answered_with_the_model(replica: tuple[HelpdeskServer, Replica]) -> None:
    helpdesk, installation = replica
    with Staff(helpdesk.url, helpdesk.tokens["tech"]) as tech:
        ticket = tech.file(next(iter(helpdesk.queues.values())), TEXT, TEXT)
        installation.wait_until_idle(60)
        said = [c.text for c in tech.comments(ticket) if c.author == helpdesk.user_ids["agent"]]
    assert len(said) == 1
    assert "Network" in said[0]
    model = (installation.state() or {})["model"]  # loaded by now: until then, webhooks wait
    assert installation.folder.joinpath("data", "models", model).is_dir()


def test_inference_works_and_training_is_refused(replica: tuple[HelpdeskServer, Replica]) -> None:
    _, installation = replica
    answer = ask(installation, "/v1/predict", {"model_name": "rolecall", "texts": [TEXT]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"][0]["label"] == "Network"
    examples = [{"text": f"text {n}", "label": str(n % 2)} for n in range(8)]
    refused = ask(installation, "/v1/train", {"model_name": "m", "examples": examples})
    assert refused.status_code == 501
    assert "pip install 'torch" in refused.text


def test_commands_say_what_they_lack(replica: tuple[HelpdeskServer, Replica]) -> None:
    _, installation = replica
    with pytest.raises(NotPossibleYet, match="pip install 'torch"):
        installation.run("train")
    with pytest.raises(NotPossibleYet, match="training: nobody: this needs: pip install 'torch"):
        installation.run("check")
    assert "Network" in installation.run("predict", TEXT)
