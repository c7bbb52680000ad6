"""Observe every call to a ticketing system: count it by its outcome, trace it, and inform the circuit breaker."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import product
from typing import Any, ParamSpec, TypeVar

from agent.metrics import Metrics
from connectors.base import Connector
from connectors.errors import Ambiguous, Permanent, TicketNotFound, Transient

P = ParamSpec("P")
T = TypeVar("T")
Watch = Callable[[str, str], AbstractContextManager[object]]
"""Returns the context manager for a call, given its source and name."""

CALLS = ("read_ticket", "post_comment", "edit_comment", "remove_comment", "change_ticket", "read_moves", "poll")
OUTCOMES = ((TicketNotFound, "not_found"), (Ambiguous, "ambiguous"), (Transient, "transient"), (Permanent, "permanent"))


class ObservedConnectors(Mapping[str, Connector]):
    """The current connectors, observed. They are looked up at each use: rotating secrets replaces them."""

    def __init__(self, connectors: Mapping[str, Connector], watches: Sequence[Watch]) -> None:
        self._connectors = connectors
        self._watches = watches

    def __getitem__(self, source: str) -> Connector:
        return _Observed(self._connectors[source], self._watches)

    def __iter__(self) -> Iterator[str]:
        return iter(self._connectors)

    def __len__(self) -> int:
        return len(self._connectors)


class _Observed:
    """A connector whose calls are watched."""

    def __init__(self, connector: Connector, watches: Sequence[Watch]) -> None:
        self.source, self.kind, self.capabilities = connector.source, connector.kind, connector.capabilities
        self.author_id, self.learn_author, self.staff = connector.author_id, connector.learn_author, connector.staff
        self.sender_retries, self.tokens = connector.sender_retries, connector.tokens
        self.verify, self.parse, self.ticket_url = connector.verify, connector.parse, connector.ticket_url
        self.check, self.history, self.aclose = connector.check, connector.history, connector.aclose
        self._watches = watches
        self.read_ticket = self._watched(connector.read_ticket)
        self.post_comment = self._watched(connector.post_comment)
        self.edit_comment = self._watched(connector.edit_comment)
        self.remove_comment = self._watched(connector.remove_comment)
        self.change_ticket = self._watched(connector.change_ticket)
        self.read_moves = self._watched(connector.read_moves)
        self.poll = self._watched(connector.poll)

    def _watched(self, call: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        async def watched(*args: P.args, **kwargs: P.kwargs) -> T:
            with ExitStack() as around:
                for watch in self._watches:
                    around.enter_context(watch(self.source, call.__name__))
                return await call(*args, **kwargs)

        return watched


def count_calls(metrics: Metrics, sources: Collection[str]) -> Watch:
    """Return a watch that counts calls by outcome. Every count begins at 0, or an alert would not see the first one."""
    for source, call, outcome in product(sources, CALLS, ("ok", "failed", *(name for _, name in OUTCOMES))):
        metrics.calls.labels(source, call, outcome)

    @contextmanager
    def counting(source: str, call: str) -> Iterator[None]:
        outcome = "failed"  # an error of ours, or the server stops
        try:
            yield
            outcome = "ok"
        except Exception as error:
            outcome = next((name for kind, name in OUTCOMES if isinstance(error, kind)), outcome)
            raise
        finally:
            metrics.calls.labels(source, call, outcome).inc()

    return counting
