"""What all systems in memory share: tickets with comments, routes, pages of two rows, and failures on request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import httpx

PAGE = 2
"""Rows of a page, whatever is asked for: every list has several."""
BOT, TECH = 99, 14


@dataclass
class Comment:
    id: int
    author: int
    text: str
    internal: bool
    at: datetime


@dataclass
class Ticket:
    id: int
    subject: str
    body: str
    created: datetime
    updated: datetime
    closed: datetime | None = None
    comments: list[Comment] = field(default_factory=list)
    group: str = ""
    tags: list[str] = field(default_factory=list)
    moves: list[tuple[datetime, str, str, int]] = field(default_factory=list)


Answer = Any
Route = tuple[str, str, Callable[..., Answer]]


class Fake:
    """One system. `failures` are answered before anything else, `requests` holds what was asked."""

    url: ClassVar[str] = "https://desk.example.test"
    settings: ClassVar[Mapping[str, Any]] = {}
    """What an operator sets beside address and secrets."""
    missing: ClassVar[int] = 404
    """The status for a ticket that is not there."""
    knows_who_we_are: ClassVar[bool] = True
    groups: ClassVar[tuple[str, str]] = ("8", "9")
    """Two groups, by the names that tickets show; a ticket is filed in the first."""
    tags: ClassVar[tuple[str, ...]] = ("pumps",)
    """What a ticket is tagged with when it is filed."""
    comments_move: ClassVar[bool] = True
    """A new comment counts as a change of its ticket."""
    api: ClassVar[str] = ""
    """What paths begin with."""

    def __init__(self) -> None:
        self.tickets: dict[int, Ticket] = {}
        self.failures: list[httpx.Response] = []
        self.requests: list[httpx.Request] = []
        self.clock = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
        self.last = 100
        self.lose_answers = 0
        """So many writes are carried out and answered 500."""

    def name(self, number: int) -> str:
        """Return the id of a ticket as the API shows it."""
        return str(number)

    def note_name(self, number: int) -> str:
        """Return the id of a comment as the API shows it."""
        return str(number)

    # What people do there

    def now(self) -> datetime:
        self.clock += timedelta(seconds=1)
        return self.clock

    def file(self, subject: str, body: str = "Oil under the pump") -> Ticket:
        number, at = self.number(), self.now()
        self.tickets[number] = Ticket(number, subject, body, at, at, group=self.groups[0], tags=list(self.tags))
        return self.tickets[number]

    def say(self, ticket: Ticket, text: str, author: int = TECH, *, internal: bool = True) -> Comment:
        comment = Comment(self.number(), author, text, internal, self.now())
        ticket.comments.append(comment)
        ticket.updated = comment.at if self.comments_move else ticket.updated
        return comment

    def put(
        self,
        ticket: Ticket,
        *,
        group: Any = None,
        subject: str | None = None,
        body: str | None = None,
        tags: Sequence[str] = (),
        by: int = BOT,
    ) -> None:
        """Change a ticket. Tags are added."""
        assert group is None or str(group) in self.groups, f"no group {group}"
        ticket.updated = self.now()
        if group is not None:
            ticket.moves.append((ticket.updated, ticket.group, str(group), by))
            ticket.group = str(group)
        ticket.subject = ticket.subject if subject is None else subject
        ticket.body = ticket.body if body is None else body
        ticket.tags = list(dict.fromkeys((*ticket.tags, *tags)))

    def close(self, ticket: Ticket) -> None:
        ticket.closed = ticket.updated = self.now()

    def comment(self, number: str) -> Comment | None:
        every = (comment for ticket in self.tickets.values() for comment in ticket.comments)
        return next((comment for comment in every if comment.id == int(number)), None)

    def remove(self, _request: httpx.Request, *numbers: str) -> httpx.Response:
        """Remove the comment whose number comes last."""
        comment = self.comment(numbers[-1])
        for ticket in self.tickets.values():
            ticket.comments = [each for each in ticket.comments if each is not comment]
        return httpx.Response(404 if comment is None else 204)

    def number(self) -> int:
        self.last += 1
        return self.last

    # What the connector sees of it

    def routes(self) -> Sequence[Route]:
        raise NotImplementedError

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.failures:
            return self.failures.pop(0)
        path = request.url.path
        assert path.startswith(self.api), path
        for method, pattern, answer in self.routes():
            found = re.fullmatch(pattern, path.removeprefix(self.api))
            if found and method == request.method:
                if self.lose_answers and self.writes(request):
                    self.lose_answers -= 1
                    answer(request, *found.groups())
                    return httpx.Response(500, text="Internal Server Error")
                given = answer(request, *found.groups())
                return given if isinstance(given, httpx.Response) else httpx.Response(200, json=given)
        return httpx.Response(404, json={"error": f"no {request.method} {path}"})

    def writes(self, request: httpx.Request) -> bool:
        """Return whether a request changes something, as far as losing answers goes."""
        return request.method != "GET"

    def ticket(self, number: str) -> Ticket | None:
        return self.tickets.get(int(number))

    def gone(self) -> httpx.Response:
        return httpx.Response(self.missing, json={"error": "Not found"})

    def changed(self, since: str | None, form: str = "%Y-%m-%dT%H:%M:%SZ") -> list[Ticket]:
        """Return the tickets that changed since a time, oldest change first."""
        assert since is not None, "the connector asked for everything"
        at = datetime.strptime(since, form).replace(tzinfo=UTC)
        return sorted((t for t in self.tickets.values() if t.updated >= at), key=lambda t: t.updated)


def body(request: httpx.Request) -> Any:
    return json.loads(request.content)


def form(request: httpx.Request) -> dict[str, str]:
    return dict(parse_qsl(request.content.decode()))


def iso(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def numbered(rows: Sequence[Any], request: httpx.Request, param: str = "page") -> list[Any]:
    """Return a page by its number, from 1."""
    number = int(request.url.params.get(param, "1"))
    return list(rows[(number - 1) * PAGE : number * PAGE])
