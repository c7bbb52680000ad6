"""`rolecall doctor`: one file with all that a bug report needs, no secret and no word of a ticket in it."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import Result
from sqlmodel import Session, SQLModel
from typer.testing import CliRunner

from agent.checks import CHECKS, floods, groups, look, scope
from agent.checks import report as reporting
from agent.cli import app
from agent.feedback import reviews
from agent.store.database import Database, newest_version
from agent.store.tables import Ticket, utcnow
from tests.agent.keeping.conftest import installed_once as installed_once
from tests.agent.keeping.conftest import old as old
from tests.agent.keeping.installed import HASH, SECRETS, Installed
from tests.agent.keeping.planted import WORDS, filled

IN_USE = SECRETS[:3]


def plant_everywhere(session: Session) -> None:
    """Give every table a row with the words in each column that can hold them."""
    session.connection().exec_driver_sql("PRAGMA ignore_check_constraints = ON")
    for table in SQLModel.metadata.sorted_tables:
        columns = [column for column in table.columns if column is not table.autoincrement_column]
        session.execute(table.insert(), {column.name: filled(column) for column in columns})


def run(old: Installed, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.chdir(old.folder)
    places = ["--config", "config/agent.toml", "--data", "data"]
    return CliRunner().invoke(app, ["doctor", "report.json", *words, *places], env={"COLUMNS": "200"})


@pytest.fixture
def planted(old: Installed) -> Installed:
    database = Database(old.directory.database)
    database.call(plant_everywhere)
    database.close()
    lines = [
        {"event": "attempt", "outcome": "done", "seconds": 0.5, "ticket": WORDS, "error": f"{WORDS} {SECRETS[0]}"},
        {"event": f"GET /{WORDS}", "level": "info"},
    ]
    (old.folder / "log").write_text("\n".join([*map(json.dumps, lines), f"no JSON: {WORDS} {SECRETS[1]}"]))
    (old.directory.path / "first-api-key.txt").write_text(SECRETS[2])
    return old


def test_no_secret_and_no_word_of_a_ticket_is_in_it(planted: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(planted, monkeypatch, "--log", "log")
    assert result.exit_code == 0, result.exception
    assert "look into it before you send it" in result.output
    file = planted.folder / "report.json"
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    key = planted.directory.key()
    assert [word for word in (WORDS, HASH, *SECRETS, key.hex(), repr(key)) if word in text] == []


def test_what_checks_quote_of_tickets_is_not_in_it(old: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed_by_one(session: Session) -> None:
        for number in range(15):
            key = f"django-helpdesk:{number}"
            session.add(Ticket(key=key, subject="printer", body="", group=WORDS, filed_at=utcnow()))
            session.add(reviews.closure(key, "Network", (), origin="o", at=utcnow(), actor=WORDS))

    database = Database(old.directory.database)
    database.call(closed_by_one)
    database.close()
    old.config.write_text(f'{old.config.read_text()}\n[triage]\nonly = {{ django-helpdesk = ["elsewhere"] }}\n')
    with look(old.config, old.settings) as installation:
        quoting = {check for check in CHECKS for found in check(installation) if WORDS in found.text}
    assert quoting == {floods, groups, scope}
    run(old, monkeypatch)
    text = (old.folder / "report.json").read_text()
    assert "(not shown: it may quote a ticket)" in text
    assert WORDS not in text


def test_it_says_what_a_bug_report_needs(planted: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    run(planted, monkeypatch, "--log", "log")
    told = json.loads((planted.folder / "report.json").read_text())
    assert {"rolecall", "python", "sqlite", "onnxruntime"} <= told["versions"].keys()
    assert told["machine"]["processors"] > 0
    assert told["settings"]["connectors"]["django-helpdesk"]["settings"]["token"] == "(set, not shown)"
    assert told["settings"]["connectors"]["django-helpdesk"]["settings"]["url"] == "https://helpdesk.example.org"
    assert told["settings"]["learning"]["window"] == 150
    assert any(line.startswith("ok database") for line in told["check"])
    assert told["database"]["schema"] == newest_version()
    assert told["database"]["rows"]["ticket"] == 3
    assert told["database"]["events"]["other"] == 1
    assert any(line.endswith(" models/ACTIVE") for line in told["files"])
    assert told["metrics"] == "no server runs"
    assert told["log"] == [{"event": "attempt", "outcome": "done", "seconds": 0.5}, {"level": "info"}]


def test_control_where_any_line_of_the_log_is_copied_the_words_are_found(
    planted: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "PLAIN", re.compile(".*"))
    run(planted, monkeypatch, "--log", "log")
    assert WORDS in (planted.folder / "report.json").read_text()


def test_a_part_that_cannot_be_told_does_not_cost_the_others(old: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    run(old, monkeypatch, "--log", "nowhere")
    told = json.loads((old.folder / "report.json").read_text())
    assert told["log"] == "cannot be told: FileNotFoundError"
    assert told["database"]["rows"]["ticket"] == 2


def test_addresses_lose_their_passwords() -> None:
    text = reporting.without('"postgresql+psycopg://rolecall:hunter2@db/rolecall"', frozenset())
    assert text == '"postgresql+psycopg://db/rolecall"'
