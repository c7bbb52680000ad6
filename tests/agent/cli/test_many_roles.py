"""With seventy roles what a command prints still fits 80 columns, and shows what matters first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.fitting import base_encoder
from agent.fitting.job import PACKAGED
from tests.agent.serving.conftest import counting_encoder

COUNT = 70
NAMES = [f"Second line of a department with a long name number {n}" for n in range(COUNT)]
WORDS = ("oil", "wire", "door")

Run = Callable[..., list[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a function that runs a command on a desk of seventy roles, and returns the lines that it prints."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "roles.toml").write_text("".join(f'[[role]]\nname = "{name}"\n' for name in NAMES))
    rules = [
        f'[[rule]]\nid = "a-rule-with-a-long-name-{n}"\nrole = "{NAMES[n]}"\nkeywords = ["number{n % 9}"]\n'
        for n in range(COUNT)
    ]
    (folder / "rules.toml").write_text("".join(rules))
    (folder / "agent.toml").write_text("rules = 'rules.toml'\nroles = 'roles.toml'\n")
    encoders = folder / "data" / "encoders"
    base_encoder.record(encoders, PACKAGED, counting_encoder(encoders))
    lines = [
        f'{n},2026-01-{n % 28 + 1:02}T09:00:00,{WORDS[n % 3]} number{n % 9} {"and so on " * 20},"{NAMES[n % COUNT]}"'
        for n in range(3 * COUNT)
    ]
    (folder / "tickets.csv").write_text("\n".join(["id,created_at,subject,role", *lines]))

    def run(*words: str) -> list[str]:
        places = ["--config", str(folder / "agent.toml"), "--data", str(folder / "data")]
        result = CliRunner().invoke(app, [*words, *places], env={"COLUMNS": "200"}, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return [line.rstrip() for line in result.stdout.splitlines()]

    run("import", str(folder / "tickets.csv"))
    return run


@pytest.mark.parametrize("command", ["backtest", "evaluate", "rules report"])
def test_what_is_printed_fits_the_terminal_and_says_how_to_see_the_rest(run: Run, command: str) -> None:
    shown = run(*command.split())
    assert max(map(len, shown)) <= 80
    assert len(shown) <= 55
    assert sum("--all" in line for line in shown) >= 1
    everything = run(*command.split(), "--all")
    assert max(map(len, everything)) <= 80
    assert len(everything) > len(shown) + 40
    assert not any("no answer) 0" in line for line in everything)
