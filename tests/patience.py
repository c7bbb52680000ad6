"""How tests wait: for what must come, as long as it takes, so that a busy machine makes them slow and never red."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE_SECONDS = 900.0
"""Only a test that hangs waits so long; none may measure by it."""


async def until(condition: Callable[[], object]) -> None:
    """Return when the condition holds. Raises TimeoutError when it never does."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)
