"""Save an installation in one file while its server runs: database, key of our marks, models, configuration.

The database's copy is of one moment (https://www.sqlite.org/backup.html); each folder of models is read while no
version is deleted and no pointer moves; what was forgotten comes last, so that a restored backup knows of it.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

from agent.config.secret_settings import secret_values, without_secrets
from agent.config.settings import Settings
from agent.data_directory import DataDirectory
from agent.errors import BadInput, NotPossibleYet
from agent.keeping.archive import Manifest, Writer, ensure_free, new_file, room, verify
from agent.serving.registry import Registry
from agent.store.copying import copy_database
from agent.store.people import FIRST_LINK

DATABASE, KEY, API_KEY, FORGOTTEN = "rolecall.sqlite3", "installation.key", "api-key.sha256", "forgotten.jsonl"
BESIDE_DATABASE = (f"{DATABASE}-wal", f"{DATABASE}-shm")
MODELS, ENCODERS, API_MODELS = "models", "encoders", "api-models"
PARTS = (DATABASE, *BESIDE_DATABASE, KEY, API_KEY, FORGOTTEN, MODELS, ENCODERS, API_MODELS)
"""The entries of the data directory that a backup stands for; what else is there are locks and scratch."""

SETTINGS, ROLES, RULES, ENV = "config/agent.toml", "config/roles.toml", "config/rules.toml", "config/env"
HIDDEN = {".aliases.json", ".agreed"}
"""Files of the models' folders that count although their names begin with a dot, as those of unfinished writes do."""

SIGNING_OUT = (
    "DELETE FROM oauth_token",
    "DELETE FROM api_token",
    "DELETE FROM page_session",
    "UPDATE page_user SET password = NULL, link = NULL",
    f"DELETE FROM shared_value WHERE name = '{FIRST_LINK}'",  # noqa: S608 - a constant
)
"""What makes a database hold no token, password or link to sign in with, nor a hash of one."""

SLACK_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Saved:
    """A backup that was written and read again; `left_out` are files that could not be freed of secrets."""

    manifest: Manifest
    size: int
    left_out: tuple[str, ...]


def back_up(
    settings: Settings, config: Path, dotenv: Path, key: bytes, target: Path, now: datetime, *, with_secrets: bool
) -> Saved:
    """Write a backup and compare it with what was read. `key` is that of our marks.

    Raises BadInput where the target exists, NotPossibleYet where there is no room or the database is damaged, OSError.
    """
    directory = DataDirectory(settings.data)
    trees = _trees(settings, directory)
    _ensure_room(target, settings, directory, trees)
    local = settings.database_url is None
    if local and not directory.database.exists():
        raise NotPossibleYet(f"{directory.path}: there is no database to back up; see --data and setting data")
    schema = None
    with new_file(target) as (file, temporary), closing(Writer(file)) as writer:
        if local:
            schema = _add_database(writer, directory.database, temporary, with_secrets=with_secrets)
        writer.add_stream(KEY, BytesIO(key))
        if with_secrets and directory.api_key.exists():
            writer.add(API_KEY, directory.api_key)
        for name, folder in trees.items():
            _add_tree(writer, name, folder, directory)
        left_out = _add_configuration(writer, settings, config, dotenv, with_secrets=with_secrets)
        if directory.forgotten.exists():
            writer.add(FORGOTTEN, directory.forgotten)
        parts = PARTS if local else tuple(part for part in PARTS if part not in (DATABASE, *BESIDE_DATABASE))
        stated = Manifest(
            made_at=now, release=version("rolecall"), schema_version=schema, with_secrets=with_secrets, parts=parts
        )
        writer.finish(stated)
        file.flush()
        manifest = verify(temporary)
        size = temporary.stat().st_size
    return Saved(manifest, size, left_out)


def schema_of(file: Path) -> str | None:
    """Return the version of the schema of an SQLite file that nobody writes to. Raises sqlite3.Error."""
    with closing(sqlite3.connect(f"file:{quote(str(file.resolve()))}?mode=ro&immutable=1", uri=True)) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _add_database(writer: Writer, database: Path, temporary: Path, *, with_secrets: bool) -> str | None:
    copy = temporary.with_name(f".{DATABASE}.{secrets.token_hex(4)}")
    try:
        copy_database(database, copy)
        if not with_secrets:
            _sign_out(copy)
        writer.add(DATABASE, copy)
        return schema_of(copy)
    finally:
        for left in (copy, *(copy.with_name(f"{copy.name}{suffix}") for suffix in ("-wal", "-shm", "-journal"))):
            left.unlink(missing_ok=True)


def _sign_out(copy: Path) -> None:
    """Delete what lets somebody in, here or at a helpdesk, with its bytes. Older databases lack some tables."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        for statement in SIGNING_OUT:
            with suppress(sqlite3.OperationalError):
                connection.execute(statement)
        connection.execute("VACUUM")


def _trees(settings: Settings, directory: DataDirectory) -> dict[str, Path]:
    api_models = settings.api.models or directory.api_models
    return {MODELS: directory.models, API_MODELS: api_models, ENCODERS: directory.encoders}


def _add_tree(writer: Writer, name: str, folder: Path, directory: DataDirectory) -> None:
    """Add the files of a folder of models, each registry in it while nothing there is deleted."""
    registries = [folder] if name == MODELS else sorted(folder.glob("[!.]*/")) if name == API_MODELS else []
    for registry in registries:
        if not registry.is_dir():
            continue
        with Registry(registry, directory.encoders).locked():
            for file in _files(registry):
                writer.add(f"{name}/{file.relative_to(folder)}", file)
    for file in () if name == MODELS else _files(folder):
        if not any(file.is_relative_to(registry) for registry in registries):
            writer.add(f"{name}/{file.relative_to(folder)}", file)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, without locks and what unfinished or interrupted writes left there."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(".") and path.name not in HIDDEN:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.is_file():
            yield path


def configuration(settings: Settings, config: Path, dotenv: Path) -> dict[str, Path]:
    """Return the files that an operator edits, by the name that they have in a backup."""
    return {SETTINGS: config, ROLES: settings.roles, RULES: settings.rules, ENV: dotenv}


def _add_configuration(
    writer: Writer, settings: Settings, config: Path, dotenv: Path, *, with_secrets: bool
) -> tuple[str, ...]:
    left_out = []
    values = secret_values(settings)
    for name, file in configuration(settings, config, dotenv).items():
        if not file.is_file():
            continue
        if with_secrets:
            writer.add(name, file)
        elif name != ENV:
            text = without_secrets(file.read_text("utf-8"), values)
            if text is None:
                left_out.append(str(file))
            else:
                writer.add_stream(name, BytesIO(text.encode()))
    return tuple(left_out)


def _ensure_room(target: Path, settings: Settings, directory: DataDirectory, trees: Mapping[str, Path]) -> None:
    """Raise BadInput without a folder to write to or a free name, NotPossibleYet where its disk is too small."""
    if not target.parent.is_dir():
        raise BadInput(f"{target.parent}: there is no such folder")
    ensure_free(target)
    database = directory.database.stat().st_size if settings.database_url is None and directory.database.exists() else 0
    needed = 2 * database + sum(file.stat().st_size for folder in trees.values() for file in _files(folder))
    if room(target.parent) < needed + SLACK_BYTES:
        megabytes = (needed + SLACK_BYTES) >> 20
        raise NotPossibleYet(
            f"a backup needs {megabytes} MB free in {target.parent}: make room, or choose another disk"
        )
