"""What the intake answers while its PostgreSQL cannot be written."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import create_engine, make_url

from agent.store.database import Database
from tests.postgres import ONE_WORKER, new_database
from tests.proofs.bench.ack import CREATED
from tests.proofs.faults.ack_server import SECRET, intake_app

pytestmark = [pytest.mark.anyio, ONE_WORKER]


def administer(address: str, database: str, setting: str) -> None:
    """Change a setting of the database, and end its connections so that it takes effect."""
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {database} SET {setting}")
        ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        connection.exec_driver_sql(ending, (database,))
    engine.dispose()


async def test_a_read_only_database_is_a_503_until_it_is_none_any_more(cluster: str) -> None:
    address = new_database(cluster)
    name = make_url(address).database
    assert name
    database = Database.open(address)
    url = f"http://rolecall/hooks/django-helpdesk/{SECRET}"
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(intake_app(database))) as client:
            administer(cluster, name, "default_transaction_read_only = on")
            refused = await client.post(url, content=CREATED.read_bytes())
            administer(cluster, name, "default_transaction_read_only = off")
            kept = await client.post(url, content=CREATED.read_bytes())
    finally:
        database.close()
    assert (refused.status_code, refused.text) == (503, "cannot keep this now: ReadOnlySqlTransaction\n")
    assert int(refused.headers["retry-after"]) > 0
    assert kept.status_code == 202
