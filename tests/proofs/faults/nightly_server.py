"""A server process with nothing but the nightly schedule: a line of its input is a night, its answer the end of it.

    python -m tests.proofs.faults.nightly_server DATABASE_URL guarded|unguarded COMMAND...

`unguarded` is the control: every server believes it is the one.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta, tzinfo

from agent.config.settings import Settings
from agent.store import coordination
from agent.store.database import Database
from agent.work import schedule as scheduling


async def nights(database: Database, command: list[str]) -> None:
    night = 0

    class Compressed(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime(2026, 1, 1, 2, 30, tzinfo=tz) + timedelta(days=night)

    scheduling.datetime = Compressed  # type: ignore[misc]
    scheduler = scheduling.schedule(Settings(), database, command)
    (train,) = (job for job in scheduler.get_jobs() if "retrain" in job.name)
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        night = int(line)
        await train.func()
        print("over", flush=True)
    scheduler.shutdown(wait=False)


def main(url: str, guard: str, *command: str) -> None:
    if guard == "unguarded":
        coordination.take_tick = lambda *_: True
    database = Database(url)
    asyncio.run(nights(database, list(command)))
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
