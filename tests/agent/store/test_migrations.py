"""Migrations are one chain, and lead to the tables that the code knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlmodel import select

from agent.core import OLDER
from agent.domain import TrainingOutcome
from agent.feedback import accounts
from agent.store import coordination, deferred, tables
from agent.store import database as databases
from agent.store.database import HELD_SECONDS, MIGRATIONS, Database, newest_version, upgradable
from tests.postgres import new_database


def test_the_newest_of_one_chain_is_known_by_the_names_of_the_files() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert scripts.get_heads() == [newest_version()]
    assert all(upgradable(script.revision) for script in scripts.walk_revisions())


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_a_new_database_has_the_tables_of_the_code(tmp_path: Path) -> None:
    database = Database.open_file(tmp_path / "new.sqlite3")
    with database.engine.begin() as connection:
        opts = {"include_name": lambda name, kind, _: kind != "table" or not name.startswith("ticket_words_index")}
        differences = compare_metadata(MigrationContext.configure(connection, opts=opts), tables.SQLModel.metadata)
    database.close()
    assert differences == []


def test_outcomes_that_were_kept_as_sentences_become_values(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    sentences = [
        "promoted",
        "kept the old one",
        "kept the old one for want of evidence",
        "waits for a person",
        "failed",
        "running",
    ]
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        for sentence in sentences:
            connection.exec_driver_sql(
                "INSERT INTO training (started_at, trigger, outcome, metrics) VALUES ('2026-01-05', 'x', ?, '{}')",
                (sentence,),
            )
    database.upgrade()
    query = select(tables.Training.outcome).order_by(tables.Training.id)
    kept = database.call(lambda session: list(session.exec(query)))
    database.close()
    assert kept == [
        TrainingOutcome.PROMOTED,
        TrainingOutcome.KEPT,
        TrainingOutcome.UNDECIDED,
        TrainingOutcome.ASKS,
        TrainingOutcome.FAILED,
        TrainingOutcome.RUNNING,
    ]


def test_decisions_of_earlier_releases_are_told_in_todays_words(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    old = [("tagged", ""), ("guessed", ""), ("abstained", "rules rule out every role"), ("skipped", "of my own")]
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0010")
        for outcome, reason in old:
            connection.exec_driver_sql(
                "INSERT INTO decision (ticket_key, at, outcome, roles, band, reason, detail, rules_version)"
                " VALUES ('desk:1', '2026-01-05', ?, '[]', 'sure', ?, '{}', '1')",
                (outcome, reason),
            )
    database.upgrade()
    query = select(tables.Decision.outcome, tables.Decision.reason).order_by(tables.Decision.id)
    kept = database.call(lambda session: [tuple(row) for row in session.exec(query)])
    database.close()
    assert kept == [("clear", ""), ("either_or", ""), ("none", "ruled_out"), ("none", "of my own")]


def test_whose_commands_were_obeyed_before_counts_for_two_weeks_more(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    reviews = [("desk:1", "command", "6"), ("desk:2", "command", "6"), ("plant:1", "command", "7")]
    reviews += [("desk:3", "command", None), ("desk:4", "import", "file.csv")]
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0011")
        connection.exec_driver_sql(
            "INSERT INTO ticket (key, subject, body, filed_at) VALUES ('desk:1', '', '', '2026-01-05')"
        )
        for number, (key, via, actor) in enumerate(reviews):
            connection.exec_driver_sql(
                "INSERT INTO review (ticket_key, roles, rejected, strength, via, origin, actor, at)"
                " VALUES (?, '[]', '[]', 4, ?, ?, ?, '2026-01-05')",
                (key, via, str(number), actor),
            )
    database.upgrade()
    kept = [account for source in ("desk", "plant") for account in database.call(accounts.stored, source)]
    older = database.call(coordination.value, OLDER)
    database.close()
    assert [(account.source, account.account_id) for account in kept] == [("desk", "6"), ("plant", "7")]
    assert {(account.trusted_until - tables.utcnow()).days for account in kept} == {13}
    assert older is not None


def test_a_new_database_trusts_nobody_and_reserves_all_words(tmp_path: Path) -> None:
    database = Database.open_file(tmp_path / "new.sqlite3")
    found = database.call(accounts.stored, "desk"), database.call(coordination.value, OLDER)
    database.close()
    assert found == ([], None)


def test_an_upgrade_may_be_idle_for_longer_than_other_transactions(
    cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Database.open(new_database(cluster)).close()  # a worker's first becomes what all others are copies of
    seen: list[str | None] = []

    def look(connection: Connection) -> None:
        seen.append(connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar())

    monkeypatch.setattr(databases, "HELD_SECONDS", HELD_SECONDS)
    monkeypatch.setattr(deferred, "install", look)
    opened = Database.open(new_database(cluster))
    with opened.engine.connect() as connection:
        look(connection)
    opened.close()
    assert seen == ["5min", "5s"]
