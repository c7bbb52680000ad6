"""`rolecall notices test` says of each address whether a message arrived; `rolecall check` names what is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.errors import BadInput
from agent.notices import outbox
from agent.notices.conditions import Condition
from agent.store.database import Database
from agent.store.tables import utcnow
from tests.agent.checks.conftest import CheckThat
from tests.agent.checks.conftest import check as check
from tests.agent.notices.conftest import TOKEN, Receiver
from tests.agent.notices.conftest import receiver as receiver
from tests.agent.notices.conftest import service as service


def run(folder: Path, urls: str, monkeypatch: pytest.MonkeyPatch) -> object:
    (folder / "agent.toml").write_text("")
    monkeypatch.setenv("ROLECALL_NOTIFY__URLS", urls)
    return CliRunner().invoke(app, ["notices", "test", "--config", str(folder / "agent.toml")], env={"COLUMNS": "200"})


def test_each_address_gets_one_message(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(tmp_path, receiver.address(), monkeypatch)
    assert (done.exit_code, done.output) == (0, "ok   address 1 (JSON): taken\n")
    assert receiver.texts == ["- This is a test of [notify] urls: notices of trouble arrive here."]
    both = run(tmp_path, f'["{receiver.address()}", "json://127.0.0.1:1/{TOKEN}"]', monkeypatch)
    assert both.exit_code == 1
    assert "ok   address 1 (JSON): taken" in both.output
    assert "FAIL address 2 (JSON): " in both.output
    assert TOKEN not in both.output


def test_without_an_address_it_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(tmp_path, "", monkeypatch)
    assert isinstance(done.exception, BadInput)
    assert "ROLECALL_NOTIFY__URLS" in str(done.exception)


def test_check_names_what_is_no_address_and_what_did_not_arrive(check: CheckThat, tmp_path: Path) -> None:
    def lines(*urls: str) -> list[str]:
        return [line for line in check(notify={"urls": urls}) if " notices: " in line]

    (tmp_path / "data").mkdir()
    assert lines() == ["ok notices: nobody is told of trouble: [notify] urls is empty"]
    assert lines("json://127.0.0.1", "nonsense")[0].startswith("FAIL notices: address 2 of [notify] urls is none of")
    assert lines("json://127.0.0.1") == ["ok notices: 1 address; 0 sent in the last 7 days"]
    database = Database.open_file(tmp_path / "data" / "rolecall.sqlite3")
    now = utcnow()
    database.call(outbox.note, [Condition("paused", "All comments are paused")], now)
    database.call(outbox.gather, 1, 10, now)
    ((name, _),) = database.call(outbox.due, now)
    database.call(outbox.tried, name, {1: "error=500."}, now)
    database.close()
    assert lines("json://127.0.0.1") == [
        "warn notices: not sent, it is tried again: address 1: error=500.. Try `rolecall notices test`"
    ]
