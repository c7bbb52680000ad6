"""What commands say of imported tickets before the first training: rules and similar tickets answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.errors import NotPossibleYet
from agent.fitting import base_encoder
from agent.fitting.job import PACKAGED
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


def test_without_reviewed_tickets_backtest_names_import(run: Run) -> None:
    with pytest.raises(NotPossibleYet, match="`rolecall import`"):
        run("backtest")
