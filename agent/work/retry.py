"""Compute when to retry: exponential back-off with equal jitter, and never before a `Retry-After`.

Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: with equal jitter half of each pause
is fixed and half is random; with full jitter, which is not used here, all of it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random

from agent.config.settings import RETRY_SECONDS

MAX_RETRY_AFTER = 3_600.0
"""The longest Retry-After that is honoured, in seconds: a system that asks for a week gets an hour."""


def pause(
    attempt: int, retry_after: float | None, random: Random, pauses: Sequence[float] = RETRY_SECONDS
) -> timedelta | None:
    """Return how long to wait after the failed `attempt` (from 1), or None when it was the last one.

    The jitter keeps the many tickets of one outage from coming back together; at least half of the pause keeps the
    retries apart. A `Retry-After` is never undercut, and shortens nothing: a system that says "1 s" for an hour would
    use up all attempts at once. It gets up to 5 s of jitter on top.
    """
    if attempt > len(pauses):
        return None
    base = pauses[attempt - 1]
    wait = random.uniform(base / 2, base)
    if retry_after is not None:
        least = min(max(retry_after, 0.0), MAX_RETRY_AFTER)
        wait = max(wait, least + random.uniform(0, min(base, 5.0)))
    return timedelta(seconds=wait)
