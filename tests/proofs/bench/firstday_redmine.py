"""A Redmine with closed issues, a project a role, for `make bench NAME=firstday` and the proof of backfill."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from agent.demo.installation import Installation
from agent.demo.processes import end
from agent.domain import Example

HOME = Path(os.environ.get("ROLECALL_REDMINE", "/var/cache/rolecall-redmine"))
INSTANCES = Path("/usr/share/redmine/instances")
PATIENCE_SECONDS = 300.0


def installed() -> bool:
    """Return whether this user may start a Redmine here."""
    return (HOME / "keys.json").exists() and bool(shutil.which("puma")) and os.access(INSTANCES, os.W_OK)


def fill(database: Path, examples: Sequence[Example], bot: int) -> None:
    """Write closed issues, as many days apart as they would be, in a project for each role."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        projects: dict[str, int] = {}
        for role in sorted({example.roles[0] for example in examples}):
            projects[role] = _project(connection, role)
        now = datetime.now(UTC)
        for number, example in enumerate(examples):
            opened = now - timedelta(hours=24 + (8_000 / len(examples)) * (len(examples) - number))
            closed = opened + timedelta(hours=5)
            author = 1_000 + number % 40  # people who have left: nobody's name is needed
            connection.execute(
                "INSERT INTO issues (tracker_id, project_id, subject, description, status_id, priority_id, author_id,"
                " created_on, updated_on, closed_on, lft, rgt) VALUES (1, ?, ?, ?, 5, 2, ?, ?, ?, ?, 1, 2)",
                (projects[example.roles[0]], example.subject or example.body[:80], example.body, author,
                 *(at.strftime("%Y-%m-%d %H:%M:%S") for at in (opened, closed, closed))),
            )  # fmt: skip
        connection.execute("UPDATE issues SET root_id = id WHERE root_id IS NULL")
        template = connection.execute("SELECT * FROM users WHERE id = ?", (bot,)).fetchone()
        columns = [row[1] for row in connection.execute("PRAGMA table_info(users)")]
        for number in range(40):
            row = dict(zip(columns, template, strict=True)) | {
                "id": 1_000 + number, "login": f"operator{number}", "firstname": "Op", "lastname": str(number),
            }  # fmt: skip
            marks = ", ".join("?" * len(row))
            names = ", ".join(f'"{name}"' for name in row)
            connection.execute(f"INSERT INTO users ({names}) VALUES ({marks})", list(row.values()))


def _project(connection: sqlite3.Connection, name: str) -> int:
    """Copy the first project under another name, with its members, and return its id."""

    def copied(table: str, row: dict[str, object]) -> int:
        names, marks = ", ".join(f'"{each}"' for each in row), ", ".join("?" * len(row))
        return int(
            connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values())).lastrowid or 0
        )

    def rows(table: str, where: str, value: int) -> list[dict[str, object]]:
        found = connection.execute(f"SELECT * FROM {table} WHERE {where} = ?", (value,))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    known = connection.execute("SELECT id FROM projects WHERE name = ?", (name,)).fetchone()
    if known:
        return int(known[0])
    (template,) = rows("projects", "id", 1)
    last = connection.execute("SELECT max(rgt) FROM projects").fetchone()[0]
    identifier = "".join(letter for letter in name.lower() if letter.isalnum())
    del template["id"]
    number = copied("projects", template | {"name": name, "identifier": identifier, "lft": last + 1, "rgt": last + 2})
    for table in ("enabled_modules", "projects_trackers"):
        for row in rows(table, "project_id", 1):
            row.pop("id", None)
            copied(table, row | {"project_id": number})
    for member in rows("members", "project_id", 1):
        before = int(str(member.pop("id")))
        new = copied("members", member | {"project_id": number})
        for role in rows("member_roles", "member_id", before):
            del role["id"]
            copied("member_roles", role | {"member_id": new})
    return number


@contextlib.contextmanager
def redmine(examples: Sequence[Example]) -> Iterator[tuple[str, dict[str, dict[str, object]]]]:
    """Start a Redmine with these closed issues; yield its address and the keys of its people."""
    keys = json.loads((HOME / "keys.json").read_text())
    with tempfile.TemporaryDirectory(prefix="redmine-") as name:
        folder = Path(name)
        shutil.copy(HOME / "redmine.sqlite", folder / "redmine.sqlite")
        fill(folder / "redmine.sqlite", examples, int(keys["bot"]["id"]))
        instance = INSTANCES / f"rolecall-history-{os.getpid()}"
        shutil.copytree(INSTANCES / "rolecall-proof", instance)
        (instance / "config/database.yml").write_text(
            f"production:\n  adapter: sqlite3\n  database: {folder / 'redmine.sqlite'}\n  timeout: 20000\n"
        )
        url = f"http://127.0.0.1:{Installation(folder, folder, folder).port}"
        with (folder / "puma.log").open("wb") as log:
            process = subprocess.Popen(
                ["puma", "-b", url.replace("http", "tcp"), "-e", "production", "-t", "1:4", "config.ru"],
                cwd="/usr/share/redmine",
                env=os.environ | {"REDMINE_INSTANCE": instance.name, "RAILS_ENV": "production"},
                stdout=log,
                stderr=log,
            )
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not _answers(url):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise TimeoutError((folder / "puma.log").read_text()[-2_000:])
                time.sleep(0.5)
            yield url, keys
        finally:
            end(process, 10)
            shutil.rmtree(instance)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=30, trust_env=False).status_code < 500
    except httpx.TransportError:
        return False


def day(examples: Sequence[Example], quiet: bool) -> dict[str, str]:
    """Set a Rolecall up beside a Redmine with the first of these as closed issues; the others can be filed then."""
    from tests.proofs.bench import firstday

    with redmine(examples[: firstday.TICKETS]) as (url, keys), tempfile.TemporaryDirectory(prefix="firstday-") as name:
        folder = firstday.fresh(Path(name) / "rolecall")
        answers = {
            "Which system": "redmine",
            "Its address": url,
            "api_key": str(keys["bot"]["key"]),
            "Accounts whose commands": "",
            "Language of comments": "",
            "Write these roles": "y",
            "Start the server": "y",
        }

        def ask(method: str, path: str, **given: Any) -> Any:
            headers = {"X-Redmine-API-Key": str(keys["tech"]["key"])}
            answer = httpx.request(method, f"{url}{path}", headers=headers, timeout=60, trust_env=False, **given)
            return answer.raise_for_status().json()

        def file(example: Example) -> int:
            about = {"project_id": 1, "tracker_id": 1, "status_id": 1, "priority_id": 2}
            said = {"subject": example.subject or "pump", "description": example.text}
            return int(ask("POST", "/issues.json", json={"issue": {**about, **said}})["issue"]["id"])

        def noted(number: int) -> bool:
            journals = ask("GET", f"/issues/{number}.json?include=journals")["issue"]["journals"]
            return any(each["user"]["id"] == keys["bot"]["id"] and each["notes"] for each in journals)

        with firstday.running(folder, answers) as terminal:
            began = time.monotonic()
            firstday.answered(terminal, folder)
            desk = firstday.Desk(file, noted)
            figures = firstday.worked(terminal, folder, began, desk, examples[firstday.TICKETS :], quiet)
        return figures | {"cpu_seconds": f"{terminal.cpu_seconds:.0f}"}
