"""Migrations are one chain, and lead to the tables that the code knows."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from agent.store import tables
from agent.store.database import MIGRATIONS, Database


def test_there_is_one_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1


def test_a_new_database_has_the_tables_of_the_code(tmp_path: Path) -> None:
    database = Database.open_file(tmp_path / "new.sqlite3")
    with database.engine.begin() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), tables.SQLModel.metadata)
    database.close()
    assert differences == []
