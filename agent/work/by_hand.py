"""Begin a training when somebody asks for one on the pages; it runs beside the server, which goes on if it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from agent.work.schedule import retrain

TRIGGER = "on the pages"
"""Who started such trainings, for the record."""

log = structlog.get_logger()


class ByHand:
    """Runs the training command, one at a time. The loop's end terminates it, as it does a nightly one."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = (*command, "--trigger", TRIGGER)
        self._running: asyncio.Task[None] | None = None

    def begin(self) -> bool:
        """Begin a training; return False where the last one that was begun so still runs."""
        if self._running is not None and not self._running.done():
            return False
        self._running = asyncio.create_task(self._run())
        return True

    async def _run(self) -> None:
        try:
            await retrain(self._command)
        except OSError as error:
            log.warning("training_not_begun", error=str(error))
