"""Limit the rate of each source with a token bucket, if its sender repeats refused webhooks.

Only authentic deliveries take tokens, so nobody else can use up a source's share. A sender that never repeats a webhook
is not limited: a refusal would lose the event, and storing it costs less than finding it again by polling.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.config.settings import IntakeSettings
from connectors.base import Connector


class Bucket:
    """Holds up to `burst` tokens and gets `per_second` new ones.

    Its whole state is the time at which it will be full. Source: the generic cell rate algorithm, ITU-T I.371.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._seconds = 1 / per_second
        self._burst_seconds = burst / per_second
        self._full_at = float("-inf")

    def take(self, now: float) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        full_at = max(self._full_at, now) + self._seconds
        wait = full_at - now - self._burst_seconds
        if wait > 1e-9:  # rounding must not cost the last token of a full bucket
            return wait
        self._full_at = full_at
        return 0.0


def buckets(connectors: Mapping[str, Connector], limits: IntakeSettings) -> dict[str, Bucket]:
    """Return a full bucket for every source whose sender repeats refused webhooks."""
    return {
        source: Bucket(limits.rate_per_second, limits.rate_burst)
        for source, connector in connectors.items()
        if connector.sender_retries
    }
