"""What commands say of imported tickets before the first training: rules and similar tickets answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import Session, select
from typer.testing import CliRunner

from agent.cli import app
from agent.domain import Outcome, Reason
from agent.errors import NotPossibleYet
from agent.fitting import base_encoder
from agent.fitting.job import PACKAGED
from agent.store.database import Database
from agent.store.tables import Decision, Ticket, utcnow
from tests.agent.serving.conftest import counting_encoder

ROLES = "".join(f'[[role]]\nname = "{name}"\n' for name in ("Hydraulics", "Electrical"))
RULES = '[[rule]]\nid = "never"\nrole = "Electrical"\nkeywords = ["zzz"]\n'
WORDS = {"Hydraulics": "oil oil oil", "Electrical": "wire wire door"}

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs a command on a desk with an encoder and no model."""
    (tmp_path / "roles.toml").write_text(ROLES)
    (tmp_path / "rules.toml").write_text(RULES)
    (tmp_path / "agent.toml").write_text("rules = 'rules.toml'\nroles = 'roles.toml'\n")
    encoders = tmp_path / "data" / "encoders"
    base_encoder.record(encoders, PACKAGED, counting_encoder(encoders))

    def run(*words: str) -> str:
        places = ["--config", str(tmp_path / "agent.toml"), "--data", str(tmp_path / "data")]
        result = CliRunner().invoke(app, [*words, *places], env={"COLUMNS": "200"}, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


@pytest.fixture
def imported(run: Run, tmp_path: Path) -> Run:
    lines = [f"{n},2026-01-{n + 1:02}T09:00:00,{list(WORDS.values())[n % 2]},{list(WORDS)[n % 2]}" for n in range(20)]
    (tmp_path / "tickets.csv").write_text("\n".join(["id,created_at,subject,role", *lines]))
    run("import", str(tmp_path / "tickets.csv"))
    return run


def test_backtest_answers_by_rules_and_similar_tickets(imported: Run) -> None:
    printed = imported("backtest")
    assert "No model yet: answered by rules and similar tickets. Next: `rolecall train`." in printed
    assert "20 reviewed tickets" in printed
    assert "none: 2\n" in printed  # the first of each kind was like no older one
    assert "✗" not in printed
    everything = imported("backtest", "--all")
    assert everything.count("people: Hydraulics") == 10
    assert max(map(len, everything.splitlines())) <= 80


def test_predict_and_evaluate_hear_similar_tickets(imported: Run) -> None:
    assert "Similar tickets: " in imported("predict", "oil")
    judged = imported("evaluate")
    assert "No model yet: rules and similar tickets were judged." in judged
    assert "They answer 20 of 20 tickets." in judged


def test_clean_finds_a_wrong_label_by_similar_tickets(imported: Run, tmp_path: Path) -> None:
    (tmp_path / "wrong.csv").write_text("id,created_at,subject,role\nW,2026-02-01,oil oil oil,Electrical\n")
    (tmp_path / "new.csv").write_text("id,created_at,subject,role\nN,2025-01-01,seat,Electrical\n")
    for name in ("wrong.csv", "new.csv"):
        imported("import", str(tmp_path / name))
    printed = imported("clean", "--share", "1")
    assert "No model yet: judged by rules and similar tickets. Next: `rolecall train`." in printed
    first, *others = [line for line in printed.splitlines() if line.startswith("import:")]
    assert first.startswith("import:W ")
    assert not any(line.startswith("import:N ") for line in others)  # like no older one: nothing speaks against it


def test_without_reviewed_tickets_backtest_names_import(run: Run) -> None:
    with pytest.raises(NotPossibleYet, match="`rolecall import`"):
        run("backtest")


def test_backtest_shows_beside_it_what_was_decided_when_the_ticket_came(imported: Run, tmp_path: Path) -> None:
    assert "then:" not in imported("backtest", "--all")  # the control: imported tickets were never decided on
    database = Database.open_file(tmp_path / "data" / "rolecall.sqlite3")
    keys = sorted(database.call(lambda session: session.exec(select(Ticket.key)).all()))

    def decide(session: Session) -> None:
        for key, role in ((keys[0], "Hydraulics"), (keys[0], "Electrical"), (keys[1], "Hydraulics")):
            row = {"outcome": Outcome.CLEAR, "roles": [role], "confidence": 0.9, "reason": "", "detail": {}}
            session.add(Decision(ticket_key=key, at=utcnow(), rules_version="r", **row))
        silent = {"outcome": Outcome.NONE, "roles": [], "reason": Reason.OUTSIDE_PILOT, "detail": {}}
        session.add(Decision(ticket_key=keys[2], at=utcnow(), rules_version="r", **silent))

    database.call(decide)
    database.close()
    printed = " ".join(imported("backtest", "--all").split())
    assert "when they came, Rolecall saw 3 of them: clear on 2, right on 1" in printed
    assert printed.count("then: Hydraulics, 90 %") == 2
    assert "then: Rolecall is set to look at other queues only." in printed


def test_evaluate_warns_of_tickets_of_the_file_that_were_learnt_from(imported: Run, tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    assert "20 of these 20 tickets are known here" in " ".join(imported("evaluate", str(file)).split())
    (tmp_path / "new.csv").write_text("id,created_at,subject,role\n1,2026-03-01,oil on the door,Hydraulics\n")
    assert "are known here" not in imported("evaluate", str(tmp_path / "new.csv"))


def test_roles_are_listed_with_what_they_handle_and_who_to_ask(imported: Run, tmp_path: Path) -> None:
    with (tmp_path / "roles.toml").open("a") as written:
        written.write("description = 'Wires and lamps.'\nowner = 'Kim'\naliases = ['sparky']\n")
        written.write("groups = { plant = ['ele', 'lamps'] }\nuntil = 2030-12-31\n")
    lines = [line.strip() for line in imported("roles").splitlines()]
    assert lines[:2] == ["Hydraulics", "10 known tickets"]
    told = (
        "Wires and lamps; Kim knows more; also called sparky; ele, lamps in plant; until 2030-12-31; 10 known tickets"
    )
    assert " ".join(lines[2:]) == f"Electrical {told}"
