"""`rolecall db`: the database's schema, and the way from one file to a shared PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from agent.store.database import Database

app = typer.Typer(help="The database: upgrade it, check it, move it to PostgreSQL.", no_args_is_help=True)


def _database(settings: Settings) -> Database:
    from agent.data_directory import DataDirectory
    from agent.store.database import Database

    url = settings.database_url
    directory = DataDirectory(settings.data)
    directory.create()
    return Database(url.get_secret_value() if url else f"sqlite:///{directory.database}")


@contextmanager
def open_database(config: Path, data: Path | None) -> Iterator[Database]:
    """Open the installation's database for the length of a block, upgraded as needed."""
    database = _database(settings_for(config, data))
    try:
        database.upgrade()
        yield database
    finally:
        database.close()


@app.command()
def upgrade(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Bring the schema to the newest version. The server does so itself when it starts."""
    database = _database(settings_for(config, data))
    database.upgrade()
    Console().print(f"schema {database.version()}")
    database.close()


@app.command()
def check(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Say which version the schema has and which one this release needs; exit code 1 where they differ."""
    from agent.store.database import newest_version

    database = _database(settings_for(config, data))
    there, needed = database.version(), newest_version()
    database.close()
    Console().print(f"schema {there or 'none'}, this release needs {needed}")
    if there != needed:
        raise typer.Exit(1)


@app.command()
def move(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Copy everything from the file in the data directory to the PostgreSQL that `database_url` names.

    Stop the server first. The file stays as it is; the PostgreSQL has to be empty. All or nothing is copied.
    """
    from agent.data_directory import DataDirectory
    from agent.store.database import Database
    from agent.store.to_postgres import move as move_rows

    settings = settings_for(config, data)
    directory = DataDirectory(settings.data)
    with directory.serving():
        target = _database(settings)
        target.upgrade()
        source = Database.open_file(directory.database)
        rows = move_rows(source, target, directory.key())
        source.close()
        target.close()
    for name, number in rows.items():
        Console().print(f"{name}: {number}")
