"""Run the server's background work, and stop the server where it fails: without it, it must not look healthy."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

import structlog

failures: list[BaseException] = []
"""What ended background work of this process, so that the command can end as it does for any error."""

log = structlog.get_logger()


def start(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Run work beside the server, which SIGTERM stops if it ends in an error."""
    task = asyncio.create_task(work)
    task.add_done_callback(_stop_server_on_error)
    return task


def _stop_server_on_error(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        failures.append(error)
        log.critical("background_task_failed", exc_info=error)
        signal.raise_signal(signal.SIGTERM)
