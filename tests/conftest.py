"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterator
from functools import cache, partial, partialmethod
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer.main
import typer.testing
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from agent.config.settings import Settings
from agent.core import Parts, assemble
from agent.fitting import child
from agent.pages import site
from agent.store import database as databases
from agent.store.database import Database
from tests.desk import Desk
from tests.patience import PATIENCE_SECONDS
from tests.postgres import cluster as cluster
from tests.postgres import database as database
from tests.postgres import database_url as database_url
from tests.postgres import fill
from tests.shared import made_once, read_tests_from_another_place_on

TICKETS = Path(__file__).with_name("tickets")
ID_LETTERS = 100
MOST_STATEMENTS = 2_000

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")  # Hypothesis' own limits are wall time, which a busy machine takes from any test


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a parameter of megabytes after its start: each worker sends all names to the first process."""
    if isinstance(val, str | bytes) and len(val) > ID_LETTERS:
        return f"{val[:ID_LETTERS]!a}, {len(val)} in all"
    return None


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Keep the garbage collector from looking through what stays: a million objects of libraries and tests."""
    gc.disable()
    try:
        read_tests_from_another_place_on(session.config)
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def loggers_that_can_be_captured() -> Iterator[None]:
    """Keep commands that run in this process from caching loggers: no later test could capture what these say."""
    configure = structlog.configure
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", lambda **given: configure(**given | {"cache_logger_on_first_use": False}))
        yield


@pytest.fixture(scope="session", autouse=True)
def new_databases_are_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fill a new database with a copy of one that the migrations made: they take longer than most tests."""
    made = made_once(tmp_path_factory, "migrated", lambda folder: Database.open_file(folder / "rolecall.db").close())
    migrated, upgrade = (made / "rolecall.db").read_bytes(), Database.upgrade

    def filled(database: Database) -> None:
        name = database.engine.url.database
        if not database.clustered and name and Path(name).is_file() and not Path(name).stat().st_size:
            Path(name).write_bytes(migrated)
        if database.clustered and database.version() is None:
            fill(database.engine, partial(upgrade, database))
        upgrade(database)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "upgrade", filled)
        yield


@pytest.fixture(scope="session", autouse=True)
def statements_are_compiled_once() -> Iterator[None]:
    """Let SQLite's databases share compiled statements, as the connections of one server do: each test has its own."""
    create, compiled = databases.create_engine, LRUCache[Any, Any](MOST_STATEMENTS)

    def sharing(*given: Any, **options: Any) -> Engine:
        engine = create(*given, **options)
        if engine.dialect.name == "sqlite":
            engine.update_execution_options(compiled_cache=compiled)
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(databases, "create_engine", sharing)
        patch.setattr(SQLiteDialect_pysqlite, "__eq__", lambda one, other: type(one) is type(other))
        patch.setattr(SQLiteDialect_pysqlite, "__hash__", lambda one: hash(type(one)))
        yield


class Compiled(BytecodeCache):
    """Templates as they were compiled before."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(scope="session", autouse=True)
def templates_are_compiled_once() -> Iterator[None]:
    """Let the servers of all tests share compiled templates: a page takes several times as long when first seen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "Environment", partial(Environment, bytecode_cache=Compiled()))
        yield


@pytest.fixture(scope="session", autouse=True)
def commands_are_built_once() -> Iterator[None]:
    """Keep what Typer makes of all commands' signatures at each call: it takes longer than most commands."""
    build = cache(typer.main.get_command)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", build)
        patch.setattr(typer.testing, "_get_command", build)
        yield


@pytest.fixture(scope="session", autouse=True)
def passwords_are_hashed_cheaply() -> Iterator[None]:
    """Take little time and memory for each password. What servers take is looked at in tests of signing in."""
    cheap = partialmethod(PasswordHasher.__init__, time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PasswordHasher, "__init__", cheap)
        yield


@pytest.fixture(scope="session", autouse=True)
def transactions_that_may_wait() -> Iterator[None]:
    """Let PostgreSQL end no transaction of a test's that a busy machine has left idle for some seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(databases, "HELD_SECONDS", PATIENCE_SECONDS)
        yield


@pytest.fixture(scope="session", autouse=True)
def trainings_that_wait_for_nobody() -> Iterator[None]:
    """Keep trainings from giving way: on a busy machine, tests would wait for them for minutes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "NICENESS", 0)
        yield


@pytest.fixture(autouse=True)
def the_same_log_for_every_test() -> Iterator[None]:
    """Undo what a command that ran in this process set: a test behind it may look for a line of a lower level."""
    before = structlog.get_config()
    yield
    if structlog.get_config() != before:
        structlog.configure(**before)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def parts_for(tmp_path: Path) -> Iterator[Callable[..., Parts]]:
    """Assemble an installation in a fresh data directory, with the invented desk's roles and rules.

    No ticket is drawn for a random check: pages hide what was suggested on these.
    """
    made: list[Parts] = []

    def make(**sections: Any) -> Parts:
        files = {"data": tmp_path / "data", "rules": TICKETS / "rules.toml", "roles": TICKETS / "roles.toml"}
        made.append(assemble(Settings(**{**files, "checks": {"share": 0}, **sections})))
        return made[-1]

    yield make
    for parts in made:
        parts.database.close()


@pytest.fixture
def parts(parts_for: Callable[..., Parts]) -> Parts:
    """Assemble an installation that settles at once and is never silent, without a trained model."""
    return parts_for(work={"settle_seconds": 0.2}, triage={"silent_below": 0.2})
