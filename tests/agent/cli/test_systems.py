"""`rolecall connectors show | setup | test`: what can be connected, what to click, and what a delivery becomes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from agent.cli import app
from agent.errors import BadInput, NotPossibleYet, SettingsError
from connectors.manifest.catalogue import presets

PRESETS = Path(__file__).parents[3] / "connectors/presets"
SETTINGS = """
[server]
public_url = "https://rolecall.example.org"
[connectors.plant]
kind = "github"
url = "https://github.com"
owner = "nordhafen"
repository = "field-ops"
author_id = 99
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "agent.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROLECALL_CONNECTORS__PLANT__TOKEN", "t")
    monkeypatch.setenv("ROLECALL_CONNECTORS__PLANT__WEBHOOK_SECRETS", "0123456789abcdef")
    return tmp_path


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["connectors", *words, "--config", str(folder / "agent.toml")])


def body(folder: Path, kind: str, example: str, **changes: object) -> str:
    (folder / "payload.json").write_text(
        json.dumps(json.loads((PRESETS / f"examples/{kind}/{example}.json").read_text())["body"] | changes)
    )
    return str(folder / "payload.json")


def test_all_kinds_are_listed_with_what_they_were_tried_on(folder: Path) -> None:
    own = (PRESETS / "redmine.toml").read_text()
    (folder / "connectors").mkdir()
    (folder / "connectors/works.toml").write_text(own.replace("on a real server", "on paper only"))
    lines = {line.partition(":")[0]: line for line in run(folder, "show").output.splitlines()}
    assert lines.keys() == {*presets(), "works", "django-helpdesk", "request-tracker"}
    assert lines["redmine"] == "redmine: Redmine, no webhooks, polled, tried on a real server"
    assert lines["works"].startswith("works: Redmine, no webhooks, polled, tried on paper only, from ")


def test_a_kind_is_shown_with_what_it_can_do_and_what_has_to_be_set(folder: Path) -> None:
    shown = run(folder, "show", "zammad").output
    assert "webhooks: hmac" in shown
    assert "edited in place: no: the newest says that it replaces the older" in shown
    assert "ROLECALL_CONNECTORS__ZAMMAD__TOKEN=..." in shown
    assert "seen by everybody on the ticket" in run(folder, "show", "github").output


def test_the_setup_of_a_connector_names_its_own_address_and_variables(folder: Path) -> None:
    told = run(folder, "setup", "plant").output
    assert "payload URL https://rolecall.example.org/hooks/plant, content" in told
    assert "{hook}" not in told
    assert '  kind = "github"' in told
    assert "ROLECALL_CONNECTORS__PLANT__WEBHOOK_SECRETS=..." in told
    assert '  owner = "..."    # the organisation' in told


def test_the_setup_of_a_kind_needs_no_settings_at_all(tmp_path: Path) -> None:
    told = run(tmp_path, "setup", "zammad").output
    assert "https://YOUR-ROLECALL/hooks/zammad/created" in told
    assert "View private notes" in run(tmp_path, "setup", "redmine").output


@pytest.mark.parametrize("kind", [name for name in presets() if (PRESETS / "examples" / name).is_dir()])
def test_every_shipped_example_is_right(folder: Path, kind: str) -> None:
    done = run(folder, "test", kind)
    assert done.exit_code == 0, done.output
    assert all(line.startswith("ok  ") for line in done.output.splitlines())


def test_an_example_that_becomes_something_else_fails(folder: Path) -> None:
    (folder / "connectors").mkdir()
    text = (PRESETS / "zammad.toml").read_text()
    (folder / "connectors/zammad.toml").write_text(text.replace("segment == 'closed'", "segment == 'shut'"))
    done = run(folder, "test", "zammad")
    assert done.exit_code == 1
    assert "FAIL closed: no event; it has to become closed of ticket" in done.output


def test_an_example_that_is_refused_is_named_and_the_others_are_run(folder: Path) -> None:
    (folder / "connectors").mkdir()
    text = (PRESETS / "zammad.toml").read_text()
    (folder / "connectors/zammad.toml").write_text(text.replace('ticket = "body.ticket.id"', 'ticket = "body.ticket"'))
    done = run(folder, "test", "zammad")
    assert (done.exit_code, len(done.output.splitlines())) == (1, len(list((PRESETS / "examples/zammad").iterdir())))
    assert "FAIL created: refused with 400: ticket: not an id of Zammad" in done.output


def test_a_payload_is_shown_as_its_events_with_the_reasons(folder: Path) -> None:
    given = body(folder, "github", "comment")
    done = run(folder, "test", "plant", given, "--header", "X-GitHub-Event: issue_comment")
    assert done.output.splitlines()[0] == 'commented of ticket 42, ticket-42-comment-9002, "/role pumps"'
    assert "rule 1 (created): `when` does not hold" in done.output


def test_a_payload_that_becomes_nothing_is_told_why(folder: Path) -> None:
    done = run(folder, "test", "plant", body(folder, "github", "comment"))
    assert done.exit_code == 0
    assert "no event: it is answered 200" in done.output
    assert "rule 5 (commented): `when` does not hold" in done.output
    own = run(
        folder, "test", "plant", body(folder, "github", "own_comment"), "--header", "x-github-event:issue_comment"
    )
    assert "rule 5 (commented): by our own account" in own.output


def test_a_payload_that_is_not_the_systems_is_refused_as_the_server_would(folder: Path) -> None:
    (folder / "payload.json").write_text("{}")
    done = run(folder, "test", "plant", str(folder / "payload.json"))
    assert done.exit_code == 1
    assert "refused with 400: not a delivery of GitHub" in done.output


@pytest.mark.parametrize("text", ['{"body": {}, "events": [["created", "7", "ticket-7"]]}', "[]", '{"body": {}}', "{"])
def test_a_file_that_is_no_example_is_named_with_the_form_that_it_needs(folder: Path, text: str) -> None:
    own = folder / "connectors/examples/github"
    own.mkdir(parents=True)
    (own / "mine.json").write_text(text)
    said = str(run(folder, "test", "plant").exception)
    assert "mine.json: has to be as" in said
    assert '"kind": "created"' in said


def test_what_cannot_be_shown_is_told_in_words(folder: Path) -> None:
    for words, kind, told in (
        (("show", "zzz"), BadInput, "no connector and no kind 'zzz'; kinds are asana, atlas, azure-devops, bugzilla, "),
        (("setup", "django-helpdesk"), BadInput, "has code of its own"),
        (("test", "redmine"), NotPossibleYet, "comes without examples"),
        (("test", "plant", "no.json"), BadInput, "no.json cannot be read"),
        (("test", "plant", body(folder, "github", "comment"), "--header", "x"), BadInput, "is no header"),
    ):
        error = run(folder, *words).exception
        assert isinstance(error, kind), words
        assert told in str(error)
    (folder / "connectors").mkdir()
    (folder / "connectors/works.toml").write_text("manifest = 1\nnam = 'x'\n")
    assert isinstance(run(folder, "show", "works").exception, SettingsError)
