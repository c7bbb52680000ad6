"""Restore a backup: check all of it, lay it out beside what is there, forget what has to be forgotten, then swap.

Until the swap nothing of the old installation has changed; after it the old one is kept for `undo`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.data_directory import RESTORING, DataDirectory
from agent.errors import BadInput, NotPossibleYet
from agent.keeping import archive
from agent.keeping.archive import Manifest
from agent.keeping.backup import API_MODELS, DATABASE, ENV, KEY, PARTS, ROLES, RULES, SETTINGS, SLACK_BYTES
from agent.keeping.forget import Done, forget
from agent.keeping.note_file import read_notes
from agent.keeping.swap import BEFORE, STAGING, Swap, before_of, swap, undoing
from agent.learning.turn import LOCK
from agent.serving.artefact import file_sha256
from agent.store.database import Database, newest_version, upgradable

CONFIGURATION = (SETTINGS, ROLES, RULES, ENV)


@dataclass(frozen=True, slots=True)
class Places:
    """Where a restored installation goes. Without `config` its configuration stays in the backup."""

    directory: DataDirectory
    api_models: Path
    config: Path | None
    dotenv: Path

    @property
    def api_apart(self) -> bool:
        """Whether the API's models lie outside the data directory."""
        return self.api_models.absolute() != self.directory.api_models.absolute()


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored. `aside` are the folders and files with what was there before.

    `forgotten` is None where there was nothing to forget; `told` is whether it is known what was forgotten since.
    """

    manifest: Manifest
    aside: tuple[Path, ...]
    written: tuple[Path, ...]
    forgotten: Done | None
    told: bool


async def restore(file: Path, places: Places, notes_from: Path | None, now: datetime, *, force: bool) -> Restored:
    """Restore a backup. `notes_from` is a file of requests to forget, beside those of the backup and of the old data.

    Raises BadInput for a file that is none or damaged, NotPossibleYet where something is in the way.
    """
    manifest = archive.read_manifest(file)
    if manifest.schema_version is not None and not upgradable(manifest.schema_version):
        schemas = f"schema {manifest.schema_version}, this release knows them up to {newest_version()}"
        raise NotPossibleYet(f"{file} was made by release {manifest.release} ({schemas}): install that one first")
    if KEY not in manifest.members or not set(manifest.parts) <= set(PARTS):
        raise BadInput(f"{file} is no backup that this release knows. Nothing was changed")
    files = _configuration(file, manifest, places)
    in_the_way = [*_occupied(places, manifest), *(str(target) for target in _different(manifest, files))]
    if in_the_way and not force:
        raise NotPossibleYet(
            f"there is something already: {', '.join(in_the_way)}. With --force it is put aside, not deleted"
        )
    _ensure_room(manifest, places)
    with _staging(places) as (staging, api_staging):
        archive.extract(file, manifest, lambda name: _place(name, manifest, staging, api_staging))
        key, forgotten = DataDirectory(staging).key(), None
        ours = [places.directory.forgotten] if _is_earlier_state_of(places.directory, key) else []
        sources = [*([notes_from] if notes_from else []), *ours, DataDirectory(staging).forgotten]
        notes = list(dict.fromkeys(note for source in sources for note in read_notes(source)))
        if notes and DATABASE in manifest.members:
            database = Database.open_file(staging / DATABASE)
            try:
                forgotten = await forget(database, DataDirectory(staging), key, None, notes)
            finally:
                database.close()
        told = notes_from is not None or bool(ours)
        written, kept = _write_configuration(file, manifest, files, now)
        swaps = [Swap(places.directory.path, staging, manifest.parts, before_of(places.directory.path, now))]
        if places.api_apart:
            swaps.append(_api_swap(places, api_staging, now))
        swap(places.directory.path, swaps)
    aside = [each.before for each in swaps if each.before.is_dir()]
    return Restored(manifest, (*aside, *kept), written, forgotten, told)


def undo(places: Places, now: datetime) -> list[Path]:
    """Put back what the last restore put aside, and return where that goes which was there. Raises NotPossibleYet."""
    folders = [places.directory.path, *([places.api_models] if places.api_apart else [])]
    swaps = [found for folder in folders if (found := undoing(folder, now))]
    if not swaps:
        raise NotPossibleYet(
            f"{places.directory.path}: no restore has put anything aside here, so there is nothing to undo; "
            "`rolecall restore FILE` takes a backup"
        )
    swap(places.directory.path, swaps)
    return [each.before for each in swaps if each.before.is_dir()]


@contextmanager
def alone(directory: DataDirectory) -> Iterator[None]:
    """Keep servers and trainings off the data directory. Raises DataDirectoryBusy, NotPossibleYet."""
    with directory.serving(), (directory.path / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotPossibleYet(f"a training runs on {directory.path}: wait for its end") from None
        yield


def _is_earlier_state_of(directory: DataDirectory, key: bytes) -> bool:
    """Return whether a data directory is of the installation with this key, so that its requests to forget count."""
    return directory.key_file.exists() and directory.key() == key


def _occupied(places: Places, manifest: Manifest) -> list[str]:
    there = [places.directory.path / part for part in manifest.parts]
    if places.api_apart and places.api_models.is_dir():
        there += [path for path in places.api_models.iterdir() if not path.name.startswith(".")]
    return [str(path) for path in there if path.exists()]


def _configuration(file: Path, manifest: Manifest, places: Places) -> dict[str, Path]:
    """Return where each file of the configuration goes: roles and rules beside the settings, under their names there.

    A settings file that names another folder does not decide where this program writes.
    """
    if places.config is None:
        return {}
    try:
        document = tomllib.loads(archive.read_text(file, manifest, SETTINGS) or "")
    except tomllib.TOMLDecodeError:
        document = {}
    targets = {SETTINGS: places.config, ENV: places.dotenv}
    for name, setting in ((ROLES, "roles"), (RULES, "rules")):
        stated = document.get(setting)
        plain = isinstance(stated, str) and archive.NAME.fullmatch(stated) and "/" not in stated
        targets[name] = places.config.with_name(stated if plain and stated else f"{setting}.toml")
    if len(set(targets.values())) < len(targets):
        raise BadInput(f"{file}: its settings name one file twice. Nothing was changed")
    folder = places.config.parent.absolute()
    if not os.access(next(path for path in (folder, *folder.parents) if path.exists()), os.W_OK):
        raise NotPossibleYet(f"{folder} cannot be written: with --data-only the configuration is left as it is")
    return {name: target for name, target in targets.items() if name in manifest.members}


def _different(manifest: Manifest, files: dict[str, Path]) -> list[Path]:
    """Return the files of the configuration that are there with another content."""
    return [target for name, target in files.items() if target.exists() and not _same(target, manifest, name)]


def _same(target: Path, manifest: Manifest, name: str) -> bool:
    return manifest.members[name].sha256 == file_sha256(target)


def _write_configuration(
    file: Path, manifest: Manifest, files: dict[str, Path], now: datetime
) -> tuple[tuple[Path, ...], list[Path]]:
    """Write the configuration, each file whole; return what was written and where the earlier files are."""
    written: list[Path] = []
    kept: list[Path] = []
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    changed = {n: target for n, target in files.items() if not (target.exists() and _same(target, manifest, n))}
    fresh = {name: target.with_name(f".{target.name}.restored-{stamp}") for name, target in changed.items()}
    try:
        archive.extract(file, manifest, fresh.get)
        for name, target in changed.items():
            if target.exists():
                kept.append(target.rename(target.with_name(f"{target.name}.before-restore-{stamp}")))
            fresh[name].rename(target)
            written.append(target)
    finally:
        for left in fresh.values():
            left.unlink(missing_ok=True)
    return tuple(written), kept


def _place(name: str, manifest: Manifest, staging: Path, api_staging: Path) -> Path | None:
    """Return where a member is laid out; None for the configuration. Raises BadInput for what belongs nowhere."""
    part, _, rest = name.partition("/")
    if name in CONFIGURATION:
        return None
    if part not in PARTS or part not in manifest.parts:
        raise BadInput(f"{name[:80]!r} is nothing that a backup holds. Nothing was changed")
    return api_staging / rest if part == API_MODELS and rest else staging / name


@contextmanager
def _staging(places: Places) -> Iterator[tuple[Path, Path]]:
    """Yield empty folders for the data directory and the API's models, on the disks where they will be."""
    folder = places.directory.path
    for left_behind in (*folder.glob(f"{STAGING}-*"), *places.api_models.glob(f"{STAGING}-*")):
        shutil.rmtree(left_behind, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=f"{STAGING}-", dir=folder))
    api_staging = staging / API_MODELS
    try:
        if places.api_apart:
            places.api_models.mkdir(parents=True, exist_ok=True, mode=0o700)
            api_staging = Path(tempfile.mkdtemp(prefix=f"{STAGING}-", dir=places.api_models))
        yield staging, api_staging
    finally:
        if not (folder / RESTORING).exists():  # else the swap goes on from here
            shutil.rmtree(staging, ignore_errors=True)
            shutil.rmtree(api_staging, ignore_errors=True)


def _api_swap(places: Places, api_staging: Path, now: datetime) -> Swap:
    """Return the swap of all that is in a folder of the API's models of its own."""
    names = {path.name for path in (*places.api_models.iterdir(), *api_staging.iterdir())}
    ours = sorted(name for name in names if not name.startswith((STAGING, BEFORE, ".lock")))
    return Swap(places.api_models, api_staging, tuple(ours), before_of(places.api_models, now))


def _ensure_room(manifest: Manifest, places: Places) -> None:
    needed = sum(member.size for member in manifest.members.values()) + SLACK_BYTES
    if archive.room(places.directory.path) < needed:
        free = f"{needed >> 20} MB have to be free in {places.directory.path}"
        raise NotPossibleYet(f"{free} for the time of the restore: make room there")


def age(manifest: Manifest) -> str:
    """Return when a backup was made, in words."""
    return f"{manifest.made_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
