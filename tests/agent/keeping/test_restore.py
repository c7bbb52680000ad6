"""A backup is put in place whole or not at all, whoever made it, and what was there before is kept."""

from __future__ import annotations

import asyncio
import json
import stat
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from agent.data_directory import RESTORING, DataDirectory
from agent.errors import BadInput, NotPossibleYet
from agent.keeping import archive
from agent.keeping import restore as restoring
from agent.keeping import swap as swapping
from agent.keeping.forget import note_of
from agent.keeping.note_file import add_notes
from agent.keeping.restore import Restored, restore, undo
from agent.serving.registry import Registry
from agent.store.database import Database
from agent.store.tables import Ticket
from tests.agent.keeping.installed import AT, Installed

LATER = AT + timedelta(hours=1)
TOMORROW = LATER.date() + timedelta(days=1)


def put(file: Path, to: Installed, *, force: bool = False, notes: Path | None = None) -> Restored:
    return asyncio.run(restore(file, to.places, notes, LATER, force=force))


def test_restored_elsewhere_everything_is_there(old: Installed, saved: Path, new: Installed) -> None:
    restored = put(saved, new)
    before = {name: content for name, content in old.contents().items() if "building" not in name}
    after = new.contents()
    assert after.pop("data/rolecall.sqlite3")
    assert {name: content for name, content in before.items() if "sqlite3" not in name} == after
    assert new.tickets() == {"desk:1", "desk:2"}
    assert Registry(new.directory.models, new.directory.encoders).active() is not None
    assert (restored.aside, restored.forgotten, restored.told) == ((), None, False)
    assert len(restored.written) == 4
    data = [new.directory.path, *new.directory.path.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in data if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in data if path.is_file()} == {0o600}


def test_what_is_there_is_not_replaced_without_force(saved: Path, old: Installed) -> None:
    before = old.contents()
    with pytest.raises(NotPossibleYet, match=r"there is something already: .*rolecall\.sqlite3.*--force"):
        put(saved, old)
    assert old.contents() == before


def test_with_force_the_old_one_is_put_aside_and_comes_back_by_undo(saved: Path, old: Installed) -> None:
    database = Database(old.directory.database)
    database.call(lambda session: session.add(Ticket(key="desk:3", subject="newer", body="", filed_at=AT)))
    database.close()
    old.config.write_text(old.config.read_text() + "# newer\n")
    (old.directory.models / "only-now").mkdir()
    restored = put(saved, old, force=True)
    assert old.tickets() == {"desk:1", "desk:2"}
    assert not (old.directory.models / "only-now").exists()
    data, config = restored.aside
    assert (data / "models/only-now").is_dir()
    assert config.read_text().endswith("# newer\n")
    assert not old.config.read_text().endswith("# newer\n")
    (aside,) = undo(old.places, LATER + timedelta(hours=1))
    assert old.tickets() == {"desk:1", "desk:2", "desk:3"}
    assert (old.directory.models / "only-now").is_dir()
    assert (aside / "rolecall.sqlite3").exists()


def test_without_a_restore_there_is_nothing_to_undo(new: Installed) -> None:
    with pytest.raises(NotPossibleYet, match="no restore has put anything aside"):
        undo(new.places, LATER)


class Died(Exception):
    pass


@pytest.mark.parametrize("number", range(6))
def test_a_swap_that_dies_at_any_rename_is_completed(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, rename, folder = number, Path.rename, tmp_path / "data"
    for place, names in ((folder, "abx"), (folder / ".restoring-1", "acd")):
        place.mkdir()
        for name in names:
            (place / name).write_text(f"{name} of {place.name}")

    def dying(self: Path, target: Path) -> Path:
        nonlocal left
        left -= 1
        if left < 0:
            raise Died
        return rename(self, target)

    chosen = swapping.Swap(folder, folder / ".restoring-1", tuple("abcd"), folder / ".before-restore-1")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dying)
        try:
            swapping.swap(folder, [chosen])
        except Died:
            assert (folder / RESTORING).exists()
            with pytest.raises(NotPossibleYet, match="was interrupted"):
                DataDirectory(folder).create()
        else:
            assert number == 5
    assert swapping.finish(folder) == (number < 5)
    assert {path.name: path.read_text() for path in folder.iterdir() if path.is_file()} == {
        "a": "a of .restoring-1",
        "c": "c of .restoring-1",
        "d": "d of .restoring-1",
        "x": "x of data",
    }
    assert {path.name for path in (folder / ".before-restore-1").iterdir()} == {"a", "b", ".parts.json"}
    assert [*folder.glob(".restoring*")] == []


def test_forgotten_tickets_do_not_come_back(saved: Path, new: Installed, old: Installed, tmp_path: Path) -> None:
    note = note_of(old.directory.key(), LATER, ticket="desk:2", requester=None, before=None)
    add_notes(tmp_path / "forgotten.jsonl", [note])
    restored = put(saved, new, notes=tmp_path / "forgotten.jsonl")
    assert new.tickets() == {"desk:1"}
    assert restored.told
    assert restored.forgotten is not None
    assert (restored.forgotten.tickets, restored.forgotten.versions) == (1, ("v2",))
    pointer = Registry(new.directory.models, new.directory.encoders).active()
    assert pointer is not None
    assert pointer.version == "v1"
    words = b"words of 2"
    assert [path for path in new.directory.path.rglob("*") if path.is_file() and words in path.read_bytes()] == []
    assert new.directory.forgotten.exists()


def test_notes_of_the_same_installation_count_when_it_is_replaced(saved: Path, old: Installed) -> None:
    add_notes(old.directory.forgotten, [note_of(b"", LATER, ticket=None, requester=None, before=TOMORROW)])
    restored = put(saved, old, force=True)
    assert restored.told
    assert old.tickets() == set()


def test_notes_of_another_installation_do_not(saved: Path, new: Installed) -> None:
    new.directory.key()
    add_notes(new.directory.forgotten, [note_of(b"", LATER, ticket=None, requester=None, before=TOMORROW)])
    restored = put(saved, new, force=True)
    assert not restored.told
    assert new.tickets() == {"desk:1", "desk:2"}


def test_models_of_the_api_in_a_folder_of_their_own_go_there(
    saved: Path, new: Installed, old: Installed, tmp_path: Path
) -> None:
    apart = restoring.Places(new.directory, tmp_path / "apart", None, tmp_path / ".env")
    for _ in range(2):
        asyncio.run(restore(saved, apart, None, LATER, force=True))
        assert (tmp_path / "apart/calls/ACTIVE").is_file()
        assert (tmp_path / "apart/.aliases.json").is_file()
        assert not new.directory.api_models.exists()
    assert [path.name for path in tmp_path.glob("apart/.before*")] != []


def rewritten(file: Path, change: Callable[[dict[str, bytes], dict], None], **flags: int) -> Path:
    """Write the backup anew with changed members and manifest, as somebody would who knows the format."""
    with zipfile.ZipFile(file) as made:
        members = {name: made.read(name) for name in made.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    change(members, manifest)
    target = file.with_name("hostile.zip")
    with zipfile.ZipFile(target, "w", flags.get("compression", zipfile.ZIP_STORED)) as hostile:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = flags.get("compression", zipfile.ZIP_STORED)
            info.external_attr = flags.get("mode", 0o600) << 16
            hostile.writestr(info, content)
        hostile.writestr(zipfile.ZipInfo("manifest.json"), json.dumps(manifest))
    return target


def add(members: dict[str, bytes], manifest: dict, name: str, content: bytes = b"x") -> None:
    import hashlib

    members[name] = content
    manifest["members"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../escaped",
            "models/../../escaped",
            "/tmp/escaped",
            "models/..",
            "models//x",
            "models\\..\\x",
            "C:x",
            "a\nb",
        ),
        *("serving.lock", "other/x", "config/other.toml", "x" * 4000, ".restoring.json", "models/" * 8 + "x"),
    ],
)
def test_no_name_leads_elsewhere(saved: Path, new: Installed, name: str) -> None:
    hostile = rewritten(saved, lambda members, manifest: add(members, manifest, name))
    refused(hostile, new)


def test_a_link_is_written_as_a_file_or_not_at_all(saved: Path, new: Installed) -> None:
    hostile = rewritten(saved, lambda members, manifest: None, mode=stat.S_IFLNK | 0o777)
    put(hostile, new)
    assert [path for path in new.folder.rglob("*") if path.is_symlink()] == []


def test_nothing_compressed_is_taken(saved: Path, new: Installed) -> None:
    def bomb(members: dict[str, bytes], manifest: dict) -> None:
        add(members, manifest, "models/v1/bomb", bytes(2_000_000))

    hostile = rewritten(saved, bomb, compression=zipfile.ZIP_DEFLATED)
    assert hostile.stat().st_size < 500_000
    refused(hostile, new)


@pytest.mark.parametrize(
    "change",
    [
        lambda members, manifest: members.update({"models/ACTIVE": b'{"version": "v1", "predecessor": null}'}),
        lambda members, manifest: members.pop("models/v1/manifest.json"),
        lambda members, manifest: manifest["members"].pop("models/v1/manifest.json"),
        lambda members, manifest: manifest["members"]["models/ACTIVE"].update(size=10**15),
        lambda members, manifest: manifest.update(parts=["../../etc"]),
        lambda members, manifest: manifest.update(parts=[]),
        lambda members, manifest: manifest.update(schema_version="9999"),
        lambda members, manifest: manifest.update(format=2),
        lambda members, manifest: manifest.pop("made_at"),
        lambda members, manifest: (members.pop("installation.key"), manifest["members"].pop("installation.key")),
        lambda members, manifest: add(members, manifest, "config/agent.toml", b'roles = "agent.toml"\n'),
    ],
)
def test_a_backup_that_was_changed_is_refused(saved: Path, new: Installed, change: Callable[..., None]) -> None:
    refused(rewritten(saved, change), new)


def test_control_a_backup_that_was_written_anew_without_a_change_is_taken(saved: Path, new: Installed) -> None:
    put(rewritten(saved, lambda members, manifest: None), new)
    assert new.tickets() == {"desk:1", "desk:2"}


@pytest.mark.parametrize("kept", [0, 10, 1000, -100, -1])
def test_a_file_that_was_cut_short_is_refused(saved: Path, new: Installed, kept: int) -> None:
    saved.write_bytes(saved.read_bytes()[:kept])
    refused(saved, new)


def test_a_flipped_bit_of_any_member_is_found(saved: Path) -> None:
    content = saved.read_bytes()
    with zipfile.ZipFile(saved) as made:
        members = [made.read(name) for name in made.namelist()]
    for member in filter(None, members):
        place = content.index(member) + len(member) // 2
        saved.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        with pytest.raises(BadInput):
            archive.verify(saved)


def test_settings_that_name_roles_elsewhere_do_not_decide_where_they_go(saved: Path, new: Installed) -> None:
    text = b'roles = "../../escaped.toml"\n'
    put(rewritten(saved, lambda members, manifest: add(members, manifest, "config/agent.toml", text)), new)
    assert (new.folder / "config/roles.toml").exists()
    assert [*new.folder.parent.rglob("escaped*")] == []


def refused(file: Path, new: Installed) -> None:
    """Assert that the file is refused in words, and that nothing has changed."""
    before = new.contents()
    with pytest.raises((BadInput, NotPossibleYet, OSError)) as told:
        put(file, new, force=True)
    assert "\n" not in str(told.value)
    assert new.contents() == before
    assert [*DataDirectory(new.folder / "data").path.glob(".restoring*")] == []
    assert not (new.folder.parent / "escaped").exists()
