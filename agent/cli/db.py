"""`rolecall db`: upgrade and check the database schema, compact the file, and move the data to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from agent.cli.console import Console
from agent.cli.options import CONFIG, ConfigOption, DataOption, must_be_there, settings_for

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from agent.store.database import Database

app = typer.Typer(help="Upgrade, check and compact the database; move the data to PostgreSQL.", no_args_is_help=True)


def _database(settings: Settings) -> Database:
    from agent.data_directory import DataDirectory
    from agent.store.database import Database

    directory = DataDirectory(settings.data)
    directory.create()
    if settings.database_url:
        return Database(settings.database_url.get_secret_value())
    directory.database.touch(mode=0o600)
    return Database(directory.database)


def begin(config: Path, data: Path | None) -> None:
    """Make the data directory and its database, as the first start of a server would."""
    database = _database(settings_for(config, data, begins=True))
    try:
        database.upgrade()
    finally:
        database.close()


@contextmanager
def open_database(config: Path, data: Path | None) -> Iterator[Database]:
    """Open the installation's database for a `with` block, upgraded if needed. Raises NotPossibleYet without one."""
    settings = settings_for(config, data)
    must_be_there(settings)
    database = _database(settings)
    try:
        database.upgrade()
        yield database
    finally:
        database.close()


@app.command()
def upgrade(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Upgrade the schema to the newest version. The server also does this when it starts."""
    database = _database(settings_for(config, data))
    database.upgrade()
    Console().print(f"schema {database.version()}")
    database.close()


@app.command()
def check(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Show the version of the schema and the one that this release needs; exit code 1 if they differ."""
    from agent.store.database import newest_version

    settings = settings_for(config, data)
    must_be_there(settings)
    database = _database(settings)
    there, needed = database.version(), newest_version()
    database.close()
    Console().print(f"schema {there or 'none'}, this release needs {needed}")
    if there != needed:
        raise typer.Exit(1)


@app.command()
def compact(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Rewrite the database's file, so that it is no larger than what is in it. A running server's writes wait for it.

    New files give the room of deleted rows back by themselves; one of an older release does so from then on.
    """
    from agent.store.compaction import compact as rewrite

    with open_database(config, data) as database:
        rewrite(database)
        if database.folder is not None:
            Console().print("the file was rewritten")
        else:
            Console().print("nothing to do: PostgreSQL gives room back by itself")


@app.command()
def move(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Copy all data from the file in the data directory to the PostgreSQL database in setting `database_url`.

    Stop the server first. The file is not changed; the target database has to be empty. Copies everything or nothing.
    """
    from agent.data_directory import DataDirectory
    from agent.store.database import Database
    from agent.store.to_postgres import move as move_rows

    settings = settings_for(config, data)
    directory = DataDirectory(settings.data)
    directory.found()
    with directory.serving():
        target = _database(settings)
        target.upgrade()
        source = Database.open_file(directory.database)
        rows = move_rows(source, target, directory.key())
        source.close()
        target.close()
    for name, number in rows.items():
        Console().print(f"{name}: {number}")
