"""A server process with nothing but the nightly schedule, whose nights follow each other within fractions of a second.

    python -m tests.proofs.faults.nightly_server DATABASE_URL FIRST_NIGHT SECONDS NIGHTS guarded|unguarded COMMAND...

`FIRST_NIGHT` is a Unix time, the same for all servers. `unguarded` is the control: every server believes it is the one.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import datetime, timedelta, tzinfo

from agent.config.settings import Settings
from agent.store import coordination
from agent.store.database import Database
from agent.work import schedule as scheduling


async def nights(database: Database, first: float, seconds: float, number: int, command: list[str]) -> None:
    night = 0

    class Compressed(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime(2026, 1, 1, 2, 30, tzinfo=tz) + timedelta(days=night)

    scheduling.datetime = Compressed  # type: ignore[misc]
    scheduler = scheduling.schedule(Settings(), database, command)
    (train,) = (job for job in scheduler.get_jobs() if "retrain" in job.name)
    running = set()
    for later in range(number):
        await asyncio.sleep(first + later * seconds - time.time())
        night = later
        running.add(asyncio.create_task(train.func()))
    await asyncio.gather(*running)
    scheduler.shutdown(wait=False)


def main(url: str, first: str, seconds: str, number: str, guard: str, *command: str) -> None:
    if guard == "unguarded":
        coordination.take_tick = lambda *_: True
    database = Database(url)
    asyncio.run(nights(database, float(first), float(seconds), int(number), list(command)))
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
