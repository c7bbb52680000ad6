"""The commands of an operator, on one installation, in the order in which they are needed."""

from __future__ import annotations

import csv
import os
import pwd
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from sqlmodel import select
from typer.testing import CliRunner

from agent.cli import app
from agent.cli.train import WORDS
from agent.domain import TrainingOutcome
from agent.errors import BadInput, NotPossibleYet
from agent.serving import artefact
from agent.serving.registry import Registry
from agent.store.database import Database
from agent.store.tables import Review
from tests.tickets.conversations import load_conversations

pytestmark = pytest.mark.xdist_group("trained")  # the encoder that they share with others is exported once

TICKETS = Path(__file__).parents[2] / "tickets"
TWIN = "20990101T000000Z-second"

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, encoders: Path) -> Path:
    folder = tmp_path_factory.mktemp("operator")
    (folder / "data").mkdir(mode=0o700)
    (folder / "data/encoders").symlink_to(encoders)
    lines = [f"{name} = '{TICKETS / name}.toml'" for name in ("rules", "roles")]
    (folder / "agent.toml").write_text("\n".join([*lines, "[learning]", "trainer = 'frozen'", "threads = 1"]))
    with (folder / "tickets.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "created_at", "subject", "body", "role"])
        for c in load_conversations():
            if len(c.true_roles) == 1:
                rows.writerow([c.id, c.created_at.isoformat(), c.subject, c.body, c.true_roles[0]])
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    def run(*words: str) -> Result:
        places = ["--config", str(folder / "agent.toml"), "--data", str(folder / "data")]
        return CliRunner().invoke(app, [*words, *places], env={"COLUMNS": "200"})

    return run


@pytest.fixture(scope="module")
def trained(run: Run, folder: Path) -> Run:
    """Import and train; a second version is the first one's twin, for a training takes seconds."""
    assert run("import", str(folder / "tickets.csv")).exit_code == 0
    result = run("train")
    assert result.exit_code == 0, result.output + str(result.exception)
    assert "reviewed tickets, frozen: about" in result.output  # no terminal: lines, not a bar
    assert "reading the tickets ...\n" in result.output
    registry = Registry(folder / "data/models", folder / "data/encoders")
    first = artefact.read(registry.folder(registry.versions()[0].version), registry.encoders)
    twin = first.manifest.model_copy(update={"version": TWIN})
    artefact.write(registry.folder(TWIN), twin, first.head, first.calibration, first.encoder)
    return run


@pytest.mark.parametrize("command", ["backtest", "clean"])
def test_what_needs_reviewed_tickets_says_so(run: Run, folder: Path, command: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [command, "--config", str(folder / "agent.toml"), "--data", str(tmp_path)])
    assert isinstance(result.exception, NotPossibleYet)
    assert "rolecall import" in str(result.exception)


def test_every_end_of_a_training_is_told_in_words() -> None:
    assert WORDS.keys() == set(TrainingOutcome) - {TrainingOutcome.RUNNING, TrainingOutcome.FAILED}


def test_importing_again_adds_nothing(trained: Run, folder: Path) -> None:
    assert "\n0 new reviewed tickets of " in trained("import", str(folder / "tickets.csv")).output


def test_an_import_needs_no_name_of_the_user(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    places = ["--config", str(folder / "agent.toml"), "--data", str(tmp_path)]
    assert CliRunner().invoke(app, ["import", str(folder / "tickets.csv"), *places]).exit_code == 0
    database = Database.open_file(tmp_path / "rolecall.sqlite3")
    assert database.call(lambda s: set(s.exec(select(Review.actor)))) == {f"uid {os.getuid()}"}
    database.close()


def test_faulty_rows_are_listed_with_their_lines_and_nothing_is_imported(trained: Run, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(
        "id,created_at,subject,body,role\nN1,2026-01-01,s,b,Network\nN2,yesterday,s,b,Network\nN3,2026-01-01,s,b,Netwrok\n"
    )
    result = trained("import", str(file))
    assert isinstance(result.exception, BadInput)
    assert f"{file}:3: created_at is 'yesterday'" in result.output
    assert f"{file}: no roles, so that rows are faulty" in result.output
    assert "  'Netwrok': 1 row, first on line 4; did you mean Network?" in result.output
    counted = trained("import", str(file), "--skip-bad").output
    assert "1 new reviewed tickets of 3 rows; 2 rows skipped" in counted


def test_a_dry_run_shows_the_first_rows_as_understood_and_changes_nothing(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "export.txt"
    file.write_bytes("Nummer;Betreff;Gruppe;Datum\n7;Tür \x1b[31mklemmt;Network;4.3.2025\n8;;;\n".encode("cp1252"))
    places = ["--config", str(folder / "agent.toml"), "--data", str(tmp_path / "data")]
    shown = CliRunner().invoke(app, ["import", str(file), "--dry-run", *places]).output
    assert "Windows-1252, separator ; (--encoding, --separator)" in shown
    assert "  created at: 'Datum' (--created-at)" in shown
    assert "  7 | 2025-03-04 00:00 | Network | Tür [31mklemmt" in shown
    assert "1 row would be imported; 1 could not be: this was a dry run" in shown
    assert not (tmp_path / "data").exists()


def test_a_file_without_the_columns_is_told_which_it_has(trained: Run, tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("number,team\n1,Network\n")
    error = trained("import", str(file)).exception
    assert isinstance(error, BadInput)
    assert "no column for subject or body; there is number, team (name it: --subject, --body)" in str(error)


def test_predict_shows_the_comment_and_every_role(trained: Run) -> None:
    printed = trained("predict", "VPN is down").output
    assert "**Role: " in printed
    assert "Locksmith & Security" in printed
    little = trained("predict", "Problem", "--body", "The VPN drops every hour since the update.").output
    whole = " ".join(little.split())
    assert "The subject says little. A better one, in the ticket's own words" in whole


def test_evaluate_lists_figures_with_intervals_and_the_wrong_answers(trained: Run, folder: Path) -> None:
    printed = trained("evaluate").output
    assert re.search(r"Right on \d+ of \d+ tickets: \d+\.\d%", printed)
    assert "Macro-F1, the mean over roles: 0." in printed
    assert "Wrong answers, surest first" in printed
    assert max(map(len, printed.splitlines())) <= 80
    by_heart = trained("evaluate", str(folder / "tickets.csv")).output
    assert "Right on 54 of 55 tickets" in by_heart
    assert "no network" in by_heart  # the sockets had no power: an electrician's ticket, and no rule can know it


def test_backtest_shows_each_ticket_beside_the_truth(trained: Run) -> None:
    printed = trained("backtest", "--last", "5", "--all").output
    assert printed.count("import:T") == printed.count("people: ") == 5
    assert "clear: " in printed


def test_clean_lists_suspicious_labels_with_a_reason(trained: Run) -> None:
    printed = trained("clean").output
    assert "the evidence says" in printed
    assert "reviewed tickets are worth a look" in printed


def test_models_can_be_compared_activated_and_rolled_back(trained: Run, folder: Path) -> None:
    first, second = (m.version for m in Registry(folder / "data/models", folder / "data/encoders").versions())
    assert "P(" in trained("models", "compare", first, second).output
    trained("models", "activate", first)
    assert trained("models", "activate", second).output == f"{second} serves\n"
    assert trained("models", "rollback", "--why", "a test").output == f"{first} serves\n"
    assert "rollback" in trained("models", "list").output


def test_the_precision_coverage_curve_can_be_drawn(trained: Run, tmp_path: Path) -> None:
    assert trained("models", "curve", "--out", str(tmp_path / "curve.svg")).exit_code == 0
    assert "<svg" in (tmp_path / "curve.svg").read_text()


def test_an_empty_desk_is_told_the_next_command_instead_of_an_empty_table(folder: Path, tmp_path: Path) -> None:
    places = ["--config", str(folder / "agent.toml"), "--data", str(tmp_path)]
    listed = CliRunner().invoke(app, ["models", "list", *places])
    assert listed.output == "no version yet: rules and similar tickets decide; `rolecall train` makes one\n"
    judged = CliRunner().invoke(app, ["rules", "report", *places])
    assert isinstance(judged.exception, NotPossibleYet)
    assert "`rolecall import`" in str(judged.exception)


def test_rules_can_be_tried_and_judged(trained: Run) -> None:
    assert "vpn" in trained("rules", "test", "VPN is down").output
    assert "the rules alone decide" in trained("rules", "report").output


def test_check_warns_of_groups_of_a_connector_that_is_not_configured(run: Run) -> None:
    """An operator may prepare the roles before the connector."""
    assert "warn roles: groups of django-helpdesk, which is no connector" in run("check").output


@pytest.mark.parametrize(("least", "line"), [(2**60, "FAIL disk: less than 1099511627776 MB free"), (0, "ok   disk")])
def test_check_tells_whether_the_disk_has_room(
    run: Run, least: int, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROLECALL_INTAKE__MIN_FREE_BYTES", str(least))
    assert line in run("check").output
