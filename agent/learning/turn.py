"""Make trainings take turns: two at once would need twice the memory, and each would tidy up what the other writes.

One lock holds for a data directory, one more for all servers of a shared database. The system releases both when
their process dies.
"""

from __future__ import annotations

import asyncio
import fcntl
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from agent.fitting.job import Progress
from agent.store.database import Database

T = TypeVar("T")

LOCK = "training.lock"
CLUSTER_LOCK = 7_655_224
"""Key of the advisory lock that the trainings of a cluster hold."""

STEP = "step of the training that runs"
"""Name of the shared value in which a training says how far it is."""

ASK_SECONDS = 1.0
WAITING = Progress("waiting for another training to end", 0, 0, 0.0)


async def cancelled_by_sigterm(work: Coroutine[Any, Any, T]) -> T:
    """Await the work; SIGTERM cancels it, so that it records its end and removes what it had begun."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


@asynccontextmanager
async def turn(
    folder: Path, on_progress: Callable[[Progress], None], database: Database | None = None
) -> AsyncIterator[None]:
    """Hold the locks for an `async with` block, and while another training has one, report that and wait."""
    with (folder / LOCK).open("a") as file, _session(database) as taken_in_cluster:
        while not (_taken(file.fileno()) and taken_in_cluster()):
            on_progress(WAITING)
            await asyncio.sleep(ASK_SECONDS)
        yield


def taken(folder: Path, database: Database) -> bool:
    """Return whether a training runs now, here or on another server of the same database. It is not made to wait."""
    with (folder / LOCK).open("a") as file, _session(database) as taken_in_cluster:
        return not (_taken(file.fileno()) and taken_in_cluster())


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _session(database: Database | None) -> Iterator[Callable[[], bool]]:
    """Return a function that takes the cluster's lock, and is True at once where there is no cluster."""
    if database is None or not database.clustered:
        yield lambda: True
        return
    # its own connection, in no transaction: the server ends transactions that are idle, and the lock is the session's
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            yield lambda: connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({CLUSTER_LOCK})").scalar_one()
        finally:
            connection.invalidate()  # back in the pool it would keep the lock
