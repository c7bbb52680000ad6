"""A circuit breaker for each system: one that is down is left alone, and its events wait without being tried.

closed → (failures in a row, or a Retry-After) → open → (the pause is over) → one event as a probe → closed, or open for
longer. Source: M. Nygard, Release It!, "Circuit Breaker". Failures are counted at the calls themselves, for most events
need none; so the poll counts, too. A sick ticket, whose calls fail between others that do not, opens nothing.

Every server has its own, in memory, on a clock that nobody can turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random

import structlog

from agent.config.settings import BREAKER_FAILURES, BREAKER_SECONDS
from agent.metrics import Metrics
from agent.work.retry import pause
from connectors.errors import ConnectorError, TicketNotFound, Transient

log = structlog.get_logger()


@dataclass
class Breaker:
    """The state of one system. `failures` in a row open it, 0 never; `pauses` are used one after the other."""

    source: str
    metrics: Metrics
    failures: int = BREAKER_FAILURES
    pauses: Sequence[float] = BREAKER_SECONDS
    random: Random = field(default_factory=Random)
    clock: Callable[[], float] = time.monotonic
    _failed: int = 0
    _openings: int = 0
    _until: float | None = None
    _probing: bool = False

    def __post_init__(self) -> None:
        self.metrics.breaker_open.labels(self.source).set(0)

    def wait(self) -> float | None:
        """Return how many seconds an event has to wait, None where it may be tried now."""
        if self._until is None:
            return None
        left = self._until - self.clock()
        if left > 0:
            return left
        return self.random.uniform(self.pauses[0] / 2, self.pauses[0]) if self._probing else None

    @contextmanager
    def passage(self) -> Iterator[float | None]:
        """Do so, for work that begins now where it may: the first after a pause is the probe."""
        wait = self.wait()
        probe = wait is None and self._until is not None
        self._probing = self._probing or probe
        try:
            yield wait
        finally:
            if probe:
                self._probing = False

    @contextmanager
    def call(self) -> Iterator[None]:
        """Note how a call ends: any answer about the ticket itself shows that the system works."""
        try:
            yield
        except ConnectorError as error:
            if isinstance(error, Transient) and not isinstance(error, TicketNotFound):
                self._note_failure(error.retry_after)
            else:
                self._note_answer()
            raise
        self._note_answer()

    def _note_answer(self) -> None:
        self._failed = 0
        if self._until is not None and self._until <= self.clock():
            self._until, self._openings = None, 0
            self.metrics.breaker_open.labels(self.source).set(0)
            log.info("breaker_closed", source=self.source)

    def _note_failure(self, retry_after: float | None) -> None:
        self._failed += 1
        paused = self._until is not None and self._until > self.clock()
        if not self.failures or (paused and retry_after is None):
            return  # what began before the pause says nothing new
        if retry_after is not None or self._until is not None or self._failed >= self.failures:
            self._open(retry_after)

    def _open(self, retry_after: float | None) -> None:
        self._openings = min(self._openings + 1, len(self.pauses))
        wait = pause(1 if retry_after else self._openings, retry_after, self.random, self.pauses)
        assert wait is not None  # noqa: S101 - the last pause is used again and again
        self._until = max(self._until or 0.0, self.clock() + wait.total_seconds())
        self.metrics.breaker_open.labels(self.source).set(1)
        log.warning("breaker_opened", source=self.source, failures=self._failed, seconds=round(wait.total_seconds(), 1))


class Breakers(dict[str, Breaker]):
    """The breaker of every system."""

    def __init__(
        self,
        metrics: Metrics,
        sources: Iterable[str],
        failures: int = BREAKER_FAILURES,
        pauses: Sequence[float] = BREAKER_SECONDS,
    ) -> None:
        super().__init__()
        self._make = partial(Breaker, metrics=metrics, failures=failures, pauses=pauses)
        for source in sources:
            self[source] = self._make(source)

    def __missing__(self, source: str) -> Breaker:
        """Make one for a system that is not configured any more, but has events left."""
        self[source] = self._make(source)
        return self[source]

    def watch(self, source: str, _call: str) -> AbstractContextManager[None]:
        """Return what surrounds every call to a system: see `agent.work.observed_connectors`."""
        return self[source].call()
