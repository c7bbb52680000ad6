"""`rolecall connectors record` stands in for the server until it has recorded as much as was asked for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx

from tests.agent.cli.test_systems import SETTINGS
from tests.connectors.systems.installed import raw, signed

SECRET = "0123456789abcdef"


def test_it_listens_records_what_is_authentic_and_ends(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text(SETTINGS.replace("[server]", "[server]\nport = 0"))
    words = [sys.executable, "-m", "agent.cli", "connectors", "record", "plant", "--count", "2"]
    secrets = {"ROLECALL_CONNECTORS__PLANT__TOKEN": "t", "ROLECALL_CONNECTORS__PLANT__WEBHOOK_SECRETS": SECRET}
    with subprocess.Popen(
        [*words, "--config", str(tmp_path / "agent.toml")],
        cwd=tmp_path,
        env=os.environ | secrets | {"PYTHONPATH": str(Path.cwd()), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            found = next(filter(None, (re.search(r"listening on port (\d+)", line) for line in process.stdout)))
            statuses = []
            for number, secret in ((41, SECRET), (42, "another-secret-16"), (43, SECRET)):
                issue = {"number": number, "title": "Erika Mustermann", "created_at": "2026-11-02T07:14:03Z"}
                repository = {"full_name": "nordhafen/field-ops"}
                body = {"action": "opened", "issue": issue, "repository": repository, "sender": {"id": 7}}
                sent = signed("github", raw(body), secret, {"X-GitHub-Event": "issues"}, "")
                url = f"http://127.0.0.1:{found[1]}/hooks/plant"
                statuses.append(httpx.post(url, content=sent.body, headers=dict(sent.headers)).status_code)
            rest = process.stdout.read()
            assert (statuses, process.wait(60)) == ([200, 401, 200], 0), rest
        finally:
            process.kill()
    files = sorted((tmp_path / "connectors/examples/github").iterdir())
    assert [file.name for file in files] == ["created_1.json", "created_2.json"]
    assert "Mustermann" not in "".join(file.read_text() for file in files)
    one, two = (json.loads(file.read_text())["body"]["issue"]["number"] for file in files)
    assert one != two
    assert "2 recorded" in rest
