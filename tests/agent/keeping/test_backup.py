"""A backup holds the whole installation as it is at one moment, and is what it says."""

from __future__ import annotations

import sqlite3
import zipfile
from pathlib import Path

import pytest

from agent.errors import BadInput, NotPossibleYet
from agent.keeping import archive, backup
from agent.keeping.backup import back_up
from agent.store.copying import copy_database
from agent.store.database import Database, newest_version
from agent.store.tables import Ticket
from tests.agent.keeping.installed import AT, HASH, SECRETS, Installed


def test_it_holds_every_part_and_no_unfinished_one(old: Installed, tmp_path: Path) -> None:
    saved = old.save(tmp_path / "b.zip")
    names = saved.manifest.members.keys()
    assert {
        "rolecall.sqlite3",
        "installation.key",
        "api-key.sha256",
        "models/ACTIVE",
        "models/v2/manifest.json",
    } <= names
    assert {"api-models/calls/ACTIVE", "api-models/.aliases.json", "config/agent.toml", "config/env"} <= names
    assert {"config/roles.toml", "config/rules.toml"} <= names
    assert any(name.startswith("encoders/") for name in names)
    assert not [name for name in names if "building" in name or name.endswith("lock")]
    assert saved.manifest.schema_version == newest_version()
    assert archive.verify(tmp_path / "b.zip") == saved.manifest
    assert (tmp_path / "b.zip").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "old") == ["b.zip"]


def test_it_is_of_one_moment_while_a_server_writes(old: Installed, tmp_path: Path) -> None:
    writing = Database(old.directory.database)
    try:
        writing.call(lambda session: session.add(Ticket(key="desk:3", subject="new", body="", filed_at=AT)))
        copy_database(old.directory.database, tmp_path / "copy")
        writing.call(lambda session: session.add(Ticket(key="desk:4", subject="late", body="", filed_at=AT)))
    finally:
        writing.close()
    with sqlite3.connect(tmp_path / "copy") as copy:
        assert [key for (key,) in copy.execute("SELECT key FROM ticket ORDER BY key")] == ["desk:1", "desk:2", "desk:3"]
    copy.close()


def test_without_secrets_none_is_in_it_but_the_key_of_our_marks(old: Installed, tmp_path: Path) -> None:
    saved = old.save(tmp_path / "b.zip", with_secrets=False)
    content = (tmp_path / "b.zip").read_bytes()
    assert [secret for secret in SECRETS if secret.encode() in content] == []
    assert b"ab" * 32 not in content
    assert HASH.encode() not in content
    assert old.directory.key() in content
    assert b"# what we said about it: keep" in content
    assert (saved.manifest.with_secrets, saved.left_out) == (False, ())


def test_control_with_secrets_they_are_all_in_it(old: Installed, tmp_path: Path) -> None:
    old.save(tmp_path / "b.zip")
    content = (tmp_path / "b.zip").read_bytes()
    assert [secret for secret in SECRETS if secret.encode() not in content] == []
    kept = ("", "-link", "-token", "-login", "-access", "-refresh", "-program", "-first")
    assert [end for end in kept if f"{HASH}{end}".encode() not in content] == []


def test_a_settings_file_in_which_a_secret_cannot_be_told_apart_is_left_out(old: Installed, tmp_path: Path) -> None:
    text = old.config.read_text()
    old.config.write_text(text.replace(f'["{SECRETS[1]}"]', f'[\n  "{SECRETS[1]}",\n  "{SECRETS[1]}-older",\n]'))
    saved = old.save(tmp_path / "b.zip", with_secrets=False)
    assert saved.left_out == (str(old.config),)
    assert b"canary" not in (tmp_path / "b.zip").read_bytes()


def test_a_file_that_is_there_is_not_replaced(old: Installed, tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_text("mine")
    with pytest.raises(BadInput, match="exists: choose another name"):
        old.save(tmp_path / "b.zip")
    assert (tmp_path / "b.zip").read_text() == "mine"


def test_a_damaged_database_is_told_and_leaves_no_file(old: Installed, tmp_path: Path) -> None:
    content = bytearray(old.directory.database.read_bytes())
    content[4096 * 3 : 4096 * 20] = b"\xff" * (4096 * 17)
    old.directory.database.write_bytes(content)
    with pytest.raises(NotPossibleYet, match="is damaged"):
        old.save(tmp_path / "b.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_what_was_written_is_compared_before_it_gets_its_name(
    old: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = archive.verify

    def lying_disk(file: Path) -> archive.Manifest:
        content = bytearray(file.read_bytes())
        content[content.index(b"words of 1")] ^= 1
        file.write_bytes(content)
        return verify(file)

    monkeypatch.setattr(backup, "verify", lying_disk)
    with pytest.raises(BadInput, match=r"rolecall\.sqlite3"):
        old.save(tmp_path / "b.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_of_a_cluster_all_but_the_database_is_saved(old: Installed, tmp_path: Path) -> None:
    elsewhere = old.settings.model_copy(update={"database_url": "postgresql+psycopg://elsewhere"})
    saved = back_up(elsewhere, old.config, old.folder / ".env", b"k" * 32, tmp_path / "b.zip", AT, with_secrets=True)
    assert saved.manifest.schema_version is None
    assert "rolecall.sqlite3" not in {*saved.manifest.members, *saved.manifest.parts}
    with zipfile.ZipFile(tmp_path / "b.zip") as made:
        assert made.read("installation.key") == b"k" * 32


def test_without_room_it_says_how_much_is_missing(
    old: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "room", lambda folder: 0)
    with pytest.raises(NotPossibleYet, match=r"needs \d+ MB free"):
        old.save(tmp_path / "b.zip")
