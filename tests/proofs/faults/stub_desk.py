"""A helpdesk that misbehaves: it stores comments, and answers as real ones do on bad days.

GET /tickets/{id}                    its comments
POST /tickets/{id}/comments          stores one
PATCH /tickets/{id}/comments/{id}    replaces its text
GET /happenings?since=N              a page of what happened after the N-th happening
GET /counts                          how many tickets have how many comments

python -m tests.proofs.faults.stub_desk PORT    one that behaves
"""

from __future__ import annotations

import asyncio
import math
import random
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from email.utils import formatdate

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

PAUSE_SECONDS = 1
HAPPENINGS = 20  # on a page


@dataclass(frozen=True)
class Moods:
    """Probabilities of each misbehaviour of one request, and how long a slow write takes in seconds."""

    unavailable: float = 0.08
    too_many: float = 0.04
    stored_then_500: float = 0.08
    broken_off: float = 0.04
    slow: float = 0.1
    slow_seconds: tuple[float, float] = (0.05, 0.4)


class BrokenOff(Response):
    """Announces more than it sends: the connection ends in the middle of the answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b'{"id": ', "more_body": False})


@dataclass
class StubDesk:
    """Comments by ticket, and every text that each ticket was given, in the order of storing."""

    moods: Moods = field(default_factory=Moods)
    random: random.Random = field(default_factory=lambda: random.Random(1))
    comments: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    history: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    down: bool = False
    happenings: list[tuple[str, str, str, str]] = field(default_factory=list)
    """What happened here, as deliveries tell it: kind, ticket, delivery id, text."""

    looks: int = 0
    too_early: int = 0
    """Requests for a ticket before the end of the pause that its last 429 asked for."""

    lateness: list[float] = field(default_factory=list)
    """Seconds from the end of each such pause to the next request for its ticket."""

    requests: int = 0
    asks_to_wait: bool = False
    """Answers 429 once for every ticket, with seconds or with a date by turns."""

    no_right: bool = False
    """Refuses every comment with 403; those on every second ticket, after storing them."""

    _asked: set[str] = field(default_factory=set)

    _not_before: dict[str, float] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/counts", self._counts),
                Route("/happenings", self._happenings),
                Route("/tickets/{ticket}", self._read),
                Route("/tickets/{ticket}/comments", self._write, methods=["POST"]),
                Route("/tickets/{ticket}/comments/{comment}", self._write, methods=["PATCH"]),
            ]
        )

    async def _happenings(self, request: Request) -> Response:
        self.looks += 1
        count, since = len(self.happenings), request.query_params.get("since")
        page = self.happenings[int(since) : int(since) + HAPPENINGS] if since else []
        return JSONResponse({"count": count, "page": page})

    async def _counts(self, _request: Request) -> Response:
        return JSONResponse(Counter(map(len, self.comments.values())))

    async def _read(self, request: Request) -> Response:
        refusal = self._refuse(request.path_params["ticket"])
        comments = self.comments[request.path_params["ticket"]]
        return refusal or JSONResponse([{"id": number, "text": text} for number, text in comments.items()])

    async def _write(self, request: Request) -> Response:
        ticket, text = request.path_params["ticket"], (await request.json())["text"]
        if self._happens(self.moods.slow):
            await asyncio.sleep(self.random.uniform(*self.moods.slow_seconds))
        if refusal := self._refuse(ticket):
            return refusal
        if self.no_right and int(ticket) % 2:
            return Response(status_code=403)
        comments = self.comments[ticket]
        number = request.path_params.get("comment", str(len(comments) + 1))
        comments[number] = text
        self.history[ticket].append(text)
        if self.no_right:
            return Response(status_code=403)
        if self._happens(self.moods.stored_then_500):
            return Response(status_code=500)
        if self._happens(self.moods.broken_off):
            return BrokenOff()
        return JSONResponse({"id": number})

    def _refuse(self, ticket: str) -> Response | None:
        self.requests += 1
        if ticket in self._not_before:
            self.lateness.append(time.monotonic() - self._not_before.pop(ticket))
            self.too_early += self.lateness[-1] < 0
        if self.asks_to_wait and ticket not in self._asked:
            return self._ask_to_wait(ticket)
        if self.down:
            return Response(status_code=503)
        if self._happens(self.moods.unavailable):
            return Response(status_code=503)
        if self._happens(self.moods.too_many):
            self._not_before[ticket] = time.monotonic() + PAUSE_SECONDS
            return Response(status_code=429, headers={"Retry-After": str(PAUSE_SECONDS)})
        return None

    def _ask_to_wait(self, ticket: str) -> Response:
        self._asked.add(ticket)
        until = math.ceil(time.time() + PAUSE_SECONDS)
        seconds, wish = (PAUSE_SECONDS, str(PAUSE_SECONDS))
        if len(self._asked) % 2:
            seconds, wish = until - time.time(), formatdate(until, usegmt=True)
        self._not_before[ticket] = time.monotonic() + seconds
        return Response(status_code=429, headers={"Retry-After": wish})

    def _happens(self, probability: float) -> bool:
        return self.random.random() < probability


CALM = Moods(0, 0, 0, 0, 0)

if __name__ == "__main__":
    uvicorn.run(StubDesk(CALM).app(), port=int(sys.argv[1]), loop="uvloop", http="httptools", log_level="critical")
