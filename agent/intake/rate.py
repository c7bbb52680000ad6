"""How fast a source may send: a token bucket for each source whose sender sends again when it is told to wait.

Only authentic deliveries take tokens, so nobody else can use up a source's share. A sender that never repeats a webhook
is not limited: a refusal would lose the event, and taking it costs less than finding it again by polling.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.config.settings import IntakeSettings
from connectors.base import Connector


class Bucket:
    """Holds up to `burst` tokens and gets `per_second` new ones.

    One number says it all: when the bucket will be full. Source: the generic cell rate algorithm, ITU-T I.371.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._seconds = 1 / per_second
        self._burst_seconds = burst / per_second
        self._full_at = float("-inf")

    def take(self, now: float) -> float:
        """Take a token and return 0, or take none and return how many seconds it takes until there is one."""
        full_at = max(self._full_at, now) + self._seconds
        wait = full_at - now - self._burst_seconds
        if wait > 1e-9:  # rounding must not cost the last token of a full bucket
            return wait
        self._full_at = full_at
        return 0.0


def buckets(connectors: Mapping[str, Connector], limits: IntakeSettings) -> dict[str, Bucket]:
    """Return a full bucket for every source that may be told to wait."""
    return {
        source: Bucket(limits.rate_per_second, limits.rate_burst)
        for source, connector in connectors.items()
        if connector.sender_retries
    }
