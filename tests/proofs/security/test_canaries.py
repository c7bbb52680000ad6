"""Secrets that would sing: whatever goes wrong, none of them is in a log, an answer, an output or a file of ours."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.connectors.hostile import NEVER_VALID
from tests.fuzz.webhooks import RECORDED
from tests.stubs import infisical
from tests.stubs.server import Asked, Reply, serving

ROOT = Path(__file__).parents[3]
TOKEN, HOOK, OLD_HOOK = "canary-token-0001", "canary-hook-secret-0002", "canary-old-hook-secret-0003"
API_KEY, HUB, MACHINE = "canary-api-key-0004", "hf_canary0005", "canary-machine-secret-0006"
PASSWORD = "canary-password-0007"
SECRETS = (TOKEN, HOOK, OLD_HOOK, API_KEY, HUB, MACHINE, PASSWORD)
WRITTEN = "canary of a ticket"


def forms(secret: str) -> set[bytes]:
    """Return a secret as it is, in base64, in hex and in a URL."""
    raw = secret.encode()
    return {raw, base64.b64encode(raw).rstrip(b"=")[:-1], raw.hex().encode(), quote(secret, safe="").encode()}


def singing(folder: Path, words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return which word is in which file."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [(w, file.name) for file in files for w in words if any(form in file.read_bytes() for form in forms(w))]


class Installation:
    """A server whose every secret is a canary, beside a helpdesk on a bad day that repeats what it is sent."""

    def __init__(self, folder: Path, form: str) -> None:
        self.folder, self._form = folder, form
        self._bad_days = 0

    def helpdesk(self, asked: Asked) -> Reply:
        """Answer wrongly in every way, with the token and the comment in the answer."""
        self._bad_days += 1
        echo = {"detail": asked.headers.get("authorization"), "comment": [asked.body.decode()]}
        if asked.method == "GET" and self._bad_days % 3:
            ticket = json.loads(RECORDED[2])["ticket"]
            page = {"count": 1, "results": [ticket]}
            return Reply(200, ticket if asked.path.rstrip("/")[-1].isdigit() else page)
        statuses = (400, 401, 403, 500, 302, 200, 429, 400)
        status = statuses[self._bad_days % len(statuses)]
        return Reply(status, echo, {"Location": f"/{TOKEN}", "Retry-After": "0", "Server": TOKEN})

    def configure(self, desk: str) -> None:
        tickets = ROOT / "tests/tickets"
        self.folder.mkdir(exist_ok=True)
        (self.folder / "agent.toml").write_text(
            f'rules = "{tickets}/rules.toml"\nroles = "{tickets}/roles.toml"\nlog_format = "{self._form}"\n'
            "[triage]\nsilent_below = 0.01\n"
            "[work]\nsettle_seconds = 0.1\npoll_seconds = 0.3\nretry_seconds = [0.1, 0.1]\n"
            f'[connectors.django-helpdesk]\nurl = "{desk}"\nauthor_id = 2\n'
        )

    def run(self, *words: str, **environ: str) -> str:
        """Run a command, keep what it printed beside the data, and return it."""
        places = ["--config", str(self.folder / "agent.toml")]
        places += ["--data", str(self.folder / "data")] if words[0] != "secrets" else []
        command = [sys.executable, "-m", "agent.cli", *words, *places]
        done = subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=120)
        printed = done.stdout + done.stderr
        with (self.folder / "printed.txt").open("a") as file:
            file.write(printed)
        return printed

    def serve(self, **environ: str) -> Iterator[str]:
        """Start the server and yield its address; its output is kept beside the data."""
        log = self.folder / "server.log"
        places = ["--config", str(self.folder / "agent.toml"), "--data", str(self.folder / "data"), "--port", "0"]
        with log.open("wb") as out:
            command = [sys.executable, "-m", "agent.cli", "serve", *places]
            with subprocess.Popen(command, cwd=self.folder, env=environ, stdout=out, stderr=out) as server:
                while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
                    assert server.poll() is None, log.read_text()
                yield found[0]
                server.terminate()


def environment(vault: infisical.Infisical) -> dict[str, str]:
    """Return the environment of one installation: a secret of every kind, two of them in a vault."""
    vault.client_secret = MACHINE
    vault.folders["/"] = {"ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN": TOKEN, "HELPDESK_HOOKS": OLD_HOOK}
    hooks = {"ROLECALL_CONNECTORS__DJANGO_HELPDESK__WEBHOOK_SECRETS": json.dumps([HOOK, "secret:HELPDESK_HOOKS"])}
    own = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return own | vault.variables | hooks | {"API_KEY": API_KEY, "HF_TOKEN": HUB}


def provoke(url: str) -> list[httpx.Response]:
    """Send what makes a server talk: right and wrong secrets, in places where they belong and where not."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        created = next(document for document in map(json.loads, RECORDED) if "followup_id" not in document)
        created["ticket"] |= {"id": 99, "title": WRITTEN, "description": WRITTEN, "followup_set": []}
        hooks = [f"/hooks/django-helpdesk/{secret}" for secret in (HOOK, OLD_HOOK, HOOK[:-1], f"{HOOK}x")]
        hooks += [f"/hooks/{HOOK}", f"/hooks/{HOOK}/django-helpdesk", f"/hooks/django-helpdesk/{HOOK}/{HOOK}"]
        bodies = [*RECORDED, json.dumps(created).encode(), f'{{"ticket": "{TOKEN}'.encode(), NEVER_VALID["deep arrays"]]
        answers = [client.post(path, content=body) for path in hooks for body in bodies]
        for key in (API_KEY, API_KEY[:-1]):
            head = {"X-API-Key": key, "Authorization": f"Token {TOKEN}", "Cookie": f"session={HOOK}"}
            looks = ("/v1/models", "/v1/jobs", "/v1/aliases", "/readyz")
            answers += [client.get(path, headers=head) for path in looks]
            answers += [client.post("/v1/predict", json={"model_name": "m", "texts": [HUB]}, headers=head)]
            answers += [client.post("/v1/train", json={"model_name": "m", "key": API_KEY}, headers=head)]
        answers += [client.get(path) for path in ("/metrics", "/docs", "/openapi.json", "/healthz", f"/{API_KEY}")]
    return answers


def wait_until_idle(url: str) -> None:
    """Wait until every event is done or dead."""
    while {"waiting", "working"} & httpx.get(f"{url}/readyz", trust_env=False).json()["events"].keys():
        time.sleep(0.2)


COMMANDS = (("check",), ("secrets", "check"), ("queue", "list"))
ADDRESSES = (f"postgresql+psycopg://me:{PASSWORD}@127.0.0.1:9/db", f"nonsense://{PASSWORD}", PASSWORD)


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_sings(tmp_path: Path, form: str) -> None:
    """Start a server whose log has this form, provoke it, and look for its secrets in all that it left."""
    installation = Installation(tmp_path / "installation", form)
    with infisical.infisical() as vault, serving(installation.helpdesk) as desk:
        environ = environment(vault)
        installation.configure(desk)
        for url in installation.serve(**environ):
            answers = provoke(url)
            wait_until_idle(url)
        for words in COMMANDS:
            installation.run(*words, **environ)
        faulty = {"ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN": f"{TOKEN} {TOKEN}", "API_KEY": API_KEY[:12]}
        assert "has to be one word" in installation.run("check", **environ | faulty)
        for address in ADDRESSES if form == "console" else ADDRESSES[:1]:
            said = installation.run("check", **environ, ROLECALL_DATABASE_URL=address)
            assert "has to begin with" in said or "the database cannot be used: connection failed" in said
            assert "Traceback" not in said
        vault.faults.append(Reply(401, {"message": MACHINE}))
        assert "not accepted" in installation.run("check", **environ)
    assert {202, 401, 400} <= {answer.status_code for answer in answers}
    told = b"".join(answer.content + repr(answer.headers).encode() for answer in answers)
    (installation.folder / "answers.bin").write_bytes(told)
    assert "delivery" in (installation.folder / "server.log").read_text()
    assert singing(installation.folder, SECRETS) == []
    kept = {name for _, name in singing(installation.folder, (WRITTEN,))}
    assert any("sqlite3" in name for name in kept), "the control: what is kept is found"
    assert kept.isdisjoint({"server.log", "answers.bin", "printed.txt"})
