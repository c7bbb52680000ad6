"""When to try again: pauses that grow, full jitter, and the other side's own wish where it has one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random

from agent.config.settings import RETRY_SECONDS

MAX_RETRY_AFTER = 3_600.0
"""Seconds that we honour at most: a system that asks for a week gets an hour."""


def pause(
    attempt: int, retry_after: float | None, random: Random, pauses: Sequence[float] = RETRY_SECONDS
) -> timedelta | None:
    """Return how long to wait after the failed `attempt` (from 1), or None when it was the last one.

    Half of the pause is fixed and half is jitter, so that many tickets of one outage do not come back together. A
    `Retry-After` is never undercut, and shortens nothing: a system that says "1 s" for an hour would use up all
    attempts in no time. Source: exponential back-off with equal jitter (AWS Architecture Blog, 2015).
    """
    if attempt > len(pauses):
        return None
    base = pauses[attempt - 1]
    wait = random.uniform(base / 2, base)
    if retry_after is not None:
        least = min(max(retry_after, 0.0), MAX_RETRY_AFTER)
        wait = max(wait, least + random.uniform(0, min(base, 5.0)))
    return timedelta(seconds=wait)
