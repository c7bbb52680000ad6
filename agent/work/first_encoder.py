"""Give the memory an encoder before the first training: similar tickets speak as soon as there are any."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from agent.errors import RolecallError
from agent.fitting import base_encoder
from agent.store import tickets
from agent.store.database import Database, why
from agent.triage.memory_store import MemoryStore

LOOK_SECONDS = 10.0
AGAIN_SECONDS = 3600.0
"""After a failure, such as a full disk: by then a night may have brought a model along."""

log = structlog.get_logger()


async def prepare_forever(
    memory: MemoryStore, database: Database, encoders: Path, base_model: str, look_seconds: float = LOOK_SECONDS
) -> None:
    """Give the memory the base encoder whenever it needs one, until cancelled; while the database fails, look again.

    The export runs in a child process, and never before there is a review to remember.
    """
    wait = look_seconds
    while True:
        await asyncio.sleep(wait)  # first of all: the first webhook comes before it
        wait = look_seconds
        try:
            if memory.lacks_encoder and await database.read(_any_review):
                known = await asyncio.to_thread(base_encoder.ready, encoders, base_model)
                memory.use(known or await base_encoder.prepare(encoders, base_model))
                log.info("encoder_ready", base_model=base_model)
        except DBAPIError as error:
            log.warning("encoder_waits", error=why(error))
        except (RolecallError, OSError) as error:
            log.warning("encoder_not_ready", error=str(error))
            wait = AGAIN_SECONDS


def _any_review(session: Session) -> bool:
    return tickets.newest_review(session) > 0
