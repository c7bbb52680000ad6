"""Atlas CMMS and UpKeep in memory: work orders of plants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import httpx

from tests.connectors.systems.fake import BOT, PAGE, Comment, Fake, Route, Ticket, body


def precise(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z") if at else None


class Atlas(Fake):
    """Lists are searched by POST, pages counted from 0; lines of the history stand among the comments, newest first.

    Source: github.com/Grashjs/cmms, controllers of comments and work orders, SearchCriteria, WrapperSpecification.
    """

    url = "https://atlas.example.test"
    settings: ClassVar[Mapping[str, Any]] = {"api_url": "https://atlas-api.example.test"}
    comments_move = False
    drawn = 70_000_000
    """The last id that was given to a line of the history."""

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", r"/auth/me", lambda _: {"id": BOT, "email": "rolecall@example.test"}),
            ("POST", r"/work-orders/search", self.search),
            ("GET", r"/work-orders/(\d+)", self.read),
            ("POST", r"/comments/search/(\d+)", self.comments),
            ("POST", r"/comments", self.write),
            ("PATCH", r"/comments/(\d+)", self.edit),
            ("DELETE", r"/comments/(\d+)", self.remove),
        ]

    def writes(self, request: httpx.Request) -> bool:
        return super().writes(request) and "/search" not in request.url.path

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "id": ticket.id,
            "customId": f"WO{ticket.id:06}",
            "title": ticket.subject,
            "description": ticket.body,
            "status": "COMPLETE" if ticket.closed else "OPEN",
            "priority": "NONE",
            "team": {"id": int(ticket.group), "name": ticket.group},
            "primaryUser": None,
            "parentRequest": None,
            "createdBy": 7,
            "createdAt": precise(ticket.created),
            "updatedAt": precise(ticket.updated),
            "completedOn": precise(ticket.closed),
        }

    def said(self, comment: Comment) -> dict[str, Any]:
        return {
            "id": comment.id,
            "user": {"id": comment.author, "firstName": "Sam"},
            "content": comment.text,
            "system": False,
            "files": [],
            "createdAt": precise(comment.at),
        }

    def search(self, request: httpx.Request) -> Any:
        asked = body(request)
        (only,) = asked["filterFields"]
        assert (only["field"], only["operation"], only["enumName"]) == ("updatedAt", "ge", "JS_DATE")
        assert (asked["sortField"], asked["direction"]) == ("updatedAt", "ASC")
        rows, start = self.changed(only["value"], "%Y-%m-%dT%H:%M:%S.000Z"), asked["pageNum"] * PAGE
        return {"content": [self.shown(ticket) for ticket in rows[start : start + PAGE]], "totalElements": len(rows)}

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return self.shown(ticket) if ticket else self.gone()

    def comments(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        self.drawn += 1
        line = Comment(self.drawn, BOT, "Created the work order", internal=False, at=ticket.created)
        rows = [self.said(comment) for comment in ticket.comments] + [self.said(line) | {"system": True}]
        return sorted(rows, key=lambda row: row["createdAt"], reverse=True)

    def write(self, request: httpx.Request) -> Any:
        given = body(request)
        ticket = self.tickets.get(given["workOrder"]["id"])
        return self.said(self.say(ticket, given["content"], BOT, internal=False)) if ticket else self.gone()

    def edit(self, request: httpx.Request, number: str) -> Any:
        comment = self.comment(number)
        if comment is None:
            return self.gone()
        if comment.author != BOT:
            return httpx.Response(403, json={"message": "Access denied"})
        comment.text = body(request)["content"]
        return self.said(comment)
