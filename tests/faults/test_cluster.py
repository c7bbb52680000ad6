"""Three servers on one PostgreSQL: what a dead one leaves behind is done by the others, once and in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.postgres import new_database
from tests.faults.storm import storm

pytestmark = pytest.mark.anyio


async def test_servers_that_die_and_never_come_back_lose_nothing(cluster: str, tmp_path: Path) -> None:
    verdict = await storm(
        tmp_path, tickets=8, corrections=2, lives=[None, None], replicas=3, database_url=new_database(cluster)
    )
    assert verdict.kills == 2
    assert verdict.acknowledged == 24
    assert verdict.damage == (0, 0, 0), verdict
