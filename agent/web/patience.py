"""Bound the time for which a client may keep a connection waiting, and close the oldest where descriptors run short.

| what the client owes | seconds (`Patience`) |
|---|---|
| a request's head, the first or the next on a connection | head |
| the rest of a request's body | body |
| to read an answer that fills the buffers | answer |

While the server owes an answer, nothing is measured here. What is overdue is cut off, not closed: closing would wait
until the client has read what is left. A request costs two entries in a dictionary, and one timer serves all.
"""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass, field

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LOOK_SECONDS = 1.0
"""How often overdue connections are looked for."""

ENOUGH_DESCRIPTORS = 65_536
RESERVED_DESCRIPTORS = 256
"""For files, the database, and calls to other systems; of a small limit, half."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a client has for each of its duties; see the table above."""

    head: float = 30.0
    body: float = 65.0
    answer: float = 30.0


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files as far as the hard one allows, and return how many connections fit in."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    most = ENOUGH_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    return most - min(RESERVED_DESCRIPTORS, most // 2)


@dataclass(slots=True)
class WaitingRoom:
    """The connections whose client owes something, in the order in which they began to wait, each with its deadline."""

    patience: Patience = Patience()
    most: int = ENOUGH_DESCRIPTORS
    _deadlines: dict[HttpToolsProtocol, float] = field(default_factory=dict)
    _timer: asyncio.TimerHandle | None = None

    def enter(self, connection: HttpToolsProtocol, seconds: float) -> None:
        """Expect something from the client within so many seconds, whatever was expected before."""
        self._deadlines.pop(connection, None)
        self._deadlines[connection] = connection.loop.time() + seconds
        if self._timer is None:
            self._timer = connection.loop.call_later(LOOK_SECONDS, self._look, connection.loop)

    def leave(self, connection: HttpToolsProtocol) -> None:
        """Expect nothing from the client: it has done its part, or has gone."""
        self._deadlines.pop(connection, None)

    def make_room(self, connections: int) -> None:
        """Cut off whoever has waited longest where there are more connections than descriptors allow."""
        if connections > self.most and (oldest := next(iter(self._deadlines), None)) is not None:
            self.leave(oldest)
            oldest.transport.abort()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        overdue = [connection for connection, deadline in self._deadlines.items() if deadline <= now]
        for connection in overdue:
            self.leave(connection)
            connection.transport.abort()
        if overdue:
            log.info("connections_cut_off", connections=len(overdue))
        self._timer = loop.call_later(LOOK_SECONDS, self._look, loop) if self._deadlines else None


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol, in whose waiting room a connection is while its client owes something."""

    room: WaitingRoom

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's signature
        """Expect the first head."""
        self.room.make_room(len(self.connections) + 1)
        super().connection_made(transport)
        self.room.enter(self, self.room.patience.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self.room.leave(self)
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        """Expect the body."""
        self.room.enter(self, self.room.patience.body)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect nothing until the request is answered; if it is already, the next head."""
        super().on_message_complete()
        self._settle()

    def on_response_complete(self) -> None:
        """Expect the next head, unless another request has begun meanwhile."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self.room.enter(self, self.room.patience.head)

    def pause_writing(self) -> None:
        """Expect the client to read."""
        super().pause_writing()
        self.room.enter(self, self.room.patience.answer)

    def resume_writing(self) -> None:
        """Expect what was expected before the client stopped reading."""
        super().resume_writing()
        self._settle()

    def _settle(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.room.enter(self, self.room.patience.head)
        elif self.cycle.more_body:
            self.room.enter(self, self.room.patience.body)
        else:
            self.room.leave(self)
