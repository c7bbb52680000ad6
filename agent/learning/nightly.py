"""The nightly retrain: the same command that an operator can run, in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

log = structlog.get_logger()


async def retrain(command: Sequence[str]) -> int:
    """Run the training command to its end and return its exit code; it is terminated when this is cancelled.

    The command itself writes what came of it to the ledger; its output belongs to the log.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=None
    )
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    log.info("nightly_training_ended", exit_code=code)
    return code
