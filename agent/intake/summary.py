"""What a delivery is answered with, and what is told of it: a count, a latency, one line in the log."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import structlog
from prometheus_client import Counter

from agent.metrics import Metrics

log = structlog.get_logger()


class Answer(NamedTuple):
    """HTTP status, one line of reason, number of new events, and seconds that the sender should wait (0: none)."""

    status: int
    reason: str
    events: int = 0
    pause: int = 0


class Summary:
    """Counts deliveries and logs a line about each.

    The lines of all that were answered in one turn of the event loop are written together: one by one, between other
    work, they took a sixth of the acknowledgements that a second can hold.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._counters: dict[tuple[str, int], Counter] = {}
        self._answered: list[tuple[str, Answer]] = []

    def add(self, source: str, answer: Answer, seconds: float) -> None:
        """Note a delivery that was answered after so many seconds. `source` comes from a closed set."""
        counter = self._counters.get((source, answer.status))
        if counter is None:  # looking it up among the metric's own labels costs more than counting
            counter = self._counters[source, answer.status] = self._metrics.deliveries.labels(source, answer.status)
        counter.inc()
        if answer.status < 300:
            self._metrics.acknowledgement.observe(seconds)
        if not self._answered:
            asyncio.get_running_loop().call_soon(self._write)
        self._answered.append((source, answer))

    def _write(self) -> None:
        answered, self._answered = self._answered, []
        for source, (status, reason, events, _pause) in answered:
            log.info("delivery", source=source, status=status, reason=reason, events=events)
