"""Nobody's work is overwritten, what was written can be taken back, and a second run changes nothing."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from agent.config.secrets.source import dotenv
from agent.errors import BadInput
from agent.first_day.files import SHIPPED, Folder, Put, _digest, nothing_set

CONFIG = Path(__file__).parents[3] / "config"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "config").mkdir()
    return Folder(tmp_path / "config", tmp_path / ".env", "plant")


def test_what_is_shipped_today_is_known_as_shipped() -> None:
    """Whoever changes one of these files adds its digest to agent/first_day/files.py."""
    shipped = [*CONFIG.glob("r*.toml"), *CONFIG.glob("starters/*/*.toml")]
    assert len(shipped) == 6
    assert {_digest(file.read_bytes()) for file in shipped} - SHIPPED == set()
    assert nothing_set((CONFIG / "agent.toml").read_bytes())


def test_a_file_that_is_as_shipped_is_replaced_and_comes_back(folder: Folder) -> None:
    shipped = (CONFIG / "roles.toml").read_bytes()
    file = folder.path / "roles.toml"
    file.write_bytes(shipped)
    assert folder.put("roles.toml", "# mine") == (Put.WRITTEN, file)
    assert folder.put("roles.toml", "# mine") == (Put.SAME, file)
    assert folder.put("roles.toml", "# better")[0] is Put.WRITTEN
    folder.undo()
    assert file.read_bytes() == shipped
    assert sorted(each.name for each in folder.path.iterdir()) == ["roles.toml"]


@pytest.mark.parametrize("secret", ["abc #def", '"quoted', "it's", "'x' y", " a b ", "a\\nb", "#start", "p#x", "$HOME"])
def test_a_secret_is_read_as_it_was_typed(folder: Folder, secret: str) -> None:
    folder.secrets({"ROLECALL_TOKEN": secret, "ROLECALL_OTHER": '["plain"]'})
    assert dotenv(folder.dotenv).values == {"ROLECALL_TOKEN": secret, "ROLECALL_OTHER": '["plain"]'}
    assert 'ROLECALL_OTHER=["plain"]\n' in folder.dotenv.read_text()


def test_a_secret_that_the_file_would_change_is_not_written(folder: Folder) -> None:
    with pytest.raises(BadInput, match="ROLECALL_TOKEN"):
        folder.secrets({"ROLECALL_TOKEN": "a${HOME}b"})
    assert not folder.dotenv.exists()


def test_a_linked_file_stays_linked_and_what_it_leads_to_is_written_and_put_back(folder: Folder) -> None:
    kept, link = folder.path.parent / "kept.toml", folder.path / "agent.toml"
    kept.write_text("[server]\n")
    link.symlink_to(kept)
    assert folder.put("agent.toml", "[triage]\nshadow = true\n")[0] is Put.WRITTEN
    assert (link.readlink(), kept.read_text()) == (kept, "[triage]\nshadow = true\n")
    folder.undo()
    assert (link.readlink(), kept.read_text()) == (kept, "[server]\n")


def test_a_file_that_somebody_changed_is_kept_and_the_proposal_lies_beside_it(folder: Folder) -> None:
    file = folder.path / "roles.toml"
    file.write_text('[[role]]\nname = "Ours"\n')
    assert folder.put("roles.toml", "# proposed") == (Put.BESIDE, folder.path / "roles.toml.new")
    assert (file.read_text(), (folder.path / "roles.toml.new").read_text()) == (
        '[[role]]\nname = "Ours"\n',
        "# proposed",
    )
    folder.undo()
    assert sorted(each.name for each in folder.path.iterdir()) == ["roles.toml"]


def test_what_was_changed_after_it_was_written_is_not_taken_back(folder: Folder) -> None:
    folder.put("rules.toml", "# mined")
    (folder.path / "rules.toml").write_text("# mined, and improved")
    assert folder.put("rules.toml", "# mined again")[0] is Put.BESIDE
    assert any("kept" in line for line in folder.undo())
    assert (folder.path / "rules.toml").read_text() == "# mined, and improved"


def test_what_was_written_for_another_system_is_not_replaced(folder: Folder) -> None:
    folder.put("roles.toml", "# of plant")
    other = Folder(folder.path, folder.dotenv, "office")
    assert other.put("roles.toml", "# of office")[0] is Put.BESIDE


def test_secrets_are_added_once_for_their_owner_alone_and_taken_back(folder: Folder) -> None:
    folder.dotenv.write_text("OTHER=1\nTOKEN=\n")
    assert folder.secrets({"TOKEN": "new", "OTHER": "2"}) == ["TOKEN"]
    assert folder.dotenv.read_text() == "OTHER=1\nTOKEN=new\n"
    assert stat.S_IMODE(folder.dotenv.stat().st_mode) == 0o600
    assert folder.secrets({"TOKEN": "newer"}) == []
    folder.undo()
    assert folder.dotenv.read_text() == "OTHER=1\n"
