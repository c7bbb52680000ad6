"""A role that is called as a command is refused, with its line; a desk that is older than the command keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config.settings import Settings
from agent.core import OLDER, assemble
from agent.errors import ConfigurationError
from agent.feedback.commands import Confirm, Correct, NoneOfOurs, parse
from agent.store import coordination
from agent.store.database import Database
from tests.agent.checks.conftest import CheckThat

ROLES = '[[role]]\nname = "Network"\naliases = ["Why"]\n\n[[role]]\nname = "None"\n'


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "roles.toml").write_text(ROLES)
    (tmp_path / "rules.toml").write_text("")
    (tmp_path / "data").mkdir()
    return {name: tmp_path / f"{name}.toml" for name in ("roles", "rules")} | {"data": tmp_path / "data"}


def older(folder: Path) -> None:
    database = Database.open_file(folder / "rolecall.sqlite3")
    database.call(coordination.put, OLDER, "yes")
    database.close()


def test_new_files_are_refused_with_every_line(files: dict[str, Path], check: CheckThat) -> None:
    with pytest.raises(ConfigurationError) as caught:
        assemble(Settings(**files))
    assert [fault.line for fault in caught.value.faults] == [3, 6]
    assert [line for line in check(**files) if line.startswith("FAIL roles: ")] == [
        f"FAIL roles: {files['roles']}:3: role 'Network': 'Why' already means something else after /role",
        f"FAIL roles: {files['roles']}:6: role 'None': 'None' already means something else after /role",
    ]


def test_an_upgraded_desk_keeps_the_meaning_and_is_warned(files: dict[str, Path], check: CheckThat) -> None:
    older(files["data"])
    parts = assemble(Settings(**files))
    catalogue = parts.classifier.catalogue
    parts.database.close()
    assert [parse(text, catalogue) for text in ("/role none", "role none", "/role why")] == [
        Correct(("None",)),
        Correct(("None",)),
        Correct(("Network",)),
    ]
    assert parse("/role ok", catalogue) == Confirm()
    assert (
        len([line for line in check(**files) if line.startswith("warn roles: ") and "until you rename it" in line]) == 2
    )


def test_ok_was_never_a_role(files: dict[str, Path]) -> None:
    older(files["data"])
    files["roles"].write_text('[[role]]\nname = "OK"\n')
    with pytest.raises(ConfigurationError, match=r"roles.toml:2: role 'OK'"):
        assemble(Settings(**files))


def test_control_without_such_a_role_the_word_is_a_command(files: dict[str, Path]) -> None:
    files["roles"].write_text('[[role]]\nname = "None of the above"\n')
    parts = assemble(Settings(**files))
    catalogue = parts.classifier.catalogue
    parts.database.close()
    assert parse("/role none", catalogue) == NoneOfOurs()
    assert parse("/role none of the above", catalogue) == Correct(("None of the above",))
