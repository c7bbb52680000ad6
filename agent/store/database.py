"""The database: an engine, and a way to run one query function in one transaction, on or off the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog
from pydantic import SecretStr
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlmodel import Session

from agent.errors import NotPossibleYet
from agent.store import coordination, deferred, upgrading
from agent.store.copying import copy_before_upgrade
from agent.store.pausing import BUSY_SECONDS

MIGRATIONS = Path(__file__).with_name("migrations")
PATIENCE = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "fallback_application_name": "rolecall",
}
"""Defaults for libpq, unless the address names others: our name, and an unreachable PostgreSQL is not waited for."""

HELD_SECONDS = 5
"""PostgreSQL ends a transaction that is idle for so long: its server is suspended, and others need its locks."""

MOST_LOG_BYTES = 67_108_864
"""What is kept of SQLite's write-ahead log once it is written back, however long it had become."""

UNAVAILABLE_SECONDS = 1.0
"""Pause while the database cannot be used: its disk is full, or somebody holds its lock."""

UNUSABLE = (OperationalError, InterfaceError, InternalError)
"""What is raised while the database cannot be used; the last one by a PostgreSQL that is read-only for now."""

log = structlog.get_logger()

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """One engine. Writes of this process go through one thread, in order: SQLite knows one writer at a time.

    A transaction is committed when the function returns and rolled back when it raises.
    """

    def __init__(self, address: str | URL | Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self.engine = _engine(address, busy_seconds)
        self._reading = self.engine.execution_options(begin="BEGIN")
        self._bare = self.engine.execution_options(begin=None)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="db-write")
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="db-read")

    @classmethod
    def open(cls, address: str | Path) -> Database:
        """Open a database by its address, or an SQLite file, upgrading it as needed; safe for several servers."""
        database = cls(address)
        database.upgrade()
        return database

    @classmethod
    def open_file(cls, file: Path) -> Database:
        """Open an SQLite file, creating and upgrading it as needed."""
        file.touch(mode=0o600)
        return cls.open(file)

    @property
    def clustered(self) -> bool:
        """Whether several servers may share this database."""
        return self.engine.dialect.name == "postgresql"

    @property
    def folder(self) -> Path | None:
        """Where the file lies, None where the database is a server's business."""
        return None if self.clustered else Path(self.engine.url.database or ".").parent

    def upgrade(self) -> None:
        """Bring the schema to the newest version; does nothing where it is there already.

        An SQLite file is copied first. Raises NotPossibleYet where its schema is newer than this release, or where
        others hold on to what the upgrade needs.
        """
        there = self.version()
        if there == newest_version() and not self.clustered:
            return
        if there is not None and not upgradable(there):
            name = "the database" if self.clustered else self.engine.url.database
            newer = f"{name} has schema {there}, which is none of this release's: this release needs {newest_version()}"
            raise NotPossibleYet(f"{newer}; install the release that made it, or restore a backup")
        if there is not None and self.engine.url.database and not self.clustered:
            copy = copy_before_upgrade(Path(self.engine.url.database), str(there), datetime.now(UTC))
            log.warning("database_copied_before_upgrade", copy=str(copy))
        from alembic import command  # half a second that only an upgrade needs
        from alembic.config import Config

        def bring(connection: Connection) -> None:
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))  # a lone % begins a variable
            command.upgrade(config, "head")
            if self.clustered:
                deferred.install(connection)
                coordination.follow(connection)

        if self.clustered:
            upgrading.patiently(self.engine, bring)
        else:
            with self.engine.begin() as connection:
                bring(connection)

    def version(self) -> str | None:
        """Return the version of the schema, None in an empty database."""
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()

    def call(self, query: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `query(session, ...)` in one transaction, in this thread."""
        return self._transact(self.engine, query, *args, **kwargs)

    def autocommit(self, statement: str, parameters: tuple[object, ...]) -> None:
        """Run one statement on SQLite as a transaction of its own, in the writer's thread."""
        with self._bare.connect() as connection:
            connection.exec_driver_sql(statement, parameters)

    async def write(self, query: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `query(session, ...)` in one transaction, in the writer's thread."""
        transaction = partial(self._transact, self.engine, query, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._writer, transaction)

    async def write_with_retry(
        self, query: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `query` as `write` does, retrying every UNAVAILABLE_SECONDS while the database cannot be written."""
        while True:
            try:
                return await self.write(query, *args, **kwargs)
            except UNUSABLE as error:
                log.warning("database_unavailable", error=why(error))
            await asyncio.sleep(UNAVAILABLE_SECONDS)

    def submit(self, work: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Queue `work` for the writer's thread. Its outcome is not returned: `work` has to report it itself."""
        self._writer.submit(work, *args, **kwargs)

    async def read(self, query: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `query(session, ...)`, which must not write, in a reader's thread."""
        transaction = partial(self._transact, self._reading, query, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._readers, transaction)

    def close(self) -> None:
        """Wait for running transactions and close all connections."""
        self._writer.shutdown()
        self._readers.shutdown()
        self.engine.dispose()

    def _transact(
        self, engine: Engine, query: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        with Session(engine, expire_on_commit=False) as session, session.begin():
            return query(session, *args, **kwargs)


def why(error: DBAPIError) -> str:
    """Return the driver's name of the error, such as SQLITE_FULL: its message may hold addresses and values."""
    return getattr(error.orig, "sqlite_errorname", type(error.orig).__name__)


def newest_version() -> str:
    """Return the version of the schema that this release needs."""
    return max(_versions())


def upgradable(schema: str) -> bool:
    """Return whether this release can upgrade a database with a schema of this version, or has made it."""
    return schema in _versions()


@cache
def _versions() -> frozenset[str]:
    """Return the versions of the schema: the numbers with which the names of the migrations begin."""
    return frozenset(file.name[:4] for file in MIGRATIONS.joinpath("versions").glob("[0-9]*.py"))


def _engine(given: str | URL | Path, busy_seconds: float) -> Engine:
    address = URL.create("sqlite", database=str(given)) if isinstance(given, Path) else make_url(given)
    if address.get_backend_name() == "postgresql":
        address = address.update_query_dict({n: v for n, v in PATIENCE.items() if n not in address.query})
    # hidden: an error of the database would carry tickets into the log
    engine = create_engine(address, hide_parameters=True, pool_pre_ping=address.get_backend_name() != "sqlite")
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _prepare_postgres)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", partial(_prepare_sqlite, busy_seconds))
        # By default pysqlite begins transactions late and shared, and a reader that becomes a writer fails at once.
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_postgres(connection: Any, _record: object) -> None:
    connection.execute(f"SET idle_in_transaction_session_timeout = '{HELD_SECONDS}s'")
    # a plan that is made once for whatever values reads all tickets for the few of a group
    connection.execute("SET plan_cache_mode = force_custom_plan")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    if begin := connection.get_execution_options().get("begin", "BEGIN IMMEDIATE"):
        connection.exec_driver_sql(begin)


def _prepare_sqlite(busy_seconds: float, connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    if connection.execute("PRAGMA page_count").fetchone() == (0,):  # a new file; of an older one this is a write
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA journal_size_limit = {MOST_LOG_BYTES}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA busy_timeout = {int(busy_seconds * 1000)}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # deleted text must not stay in free pages


def open_database(url: SecretStr | None, file: Path) -> Database:
    """Open the database that the settings name, or else the file. Raises NotPossibleYet where it cannot be used."""
    if url is None:
        return Database.open_file(file)
    try:
        return Database.open(url.get_secret_value())
    except UNUSABLE as error:
        raise NotPossibleYet(
            f"the database cannot be used: {str(error.orig).splitlines()[0]}; see `rolecall db check`"
        ) from error
