"""Linear and Odoo in memory: every request is a POST that says what is wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from tests.connectors.systems.fake import BOT, PAGE, Comment, Fake, Route, Ticket, body, iso

MUTATIONS = ("commentCreate", "commentUpdate", "commentDelete", "issueUpdate")


class Linear(Fake):
    """GraphQL: what is not there, and what is too much, is an error in an answer. Source: linear.app/developers."""

    url = "https://linear.app/nordhafen"
    groups = ("Pumps & Drives", "Grid")
    comments_move = False

    def name(self, number: int) -> str:
        return f"{number:08x}-0000-4000-8000-{number:012x}"

    note_name = name

    def routes(self) -> Sequence[Route]:
        return [("POST", r"/graphql", self.answer)]

    def writes(self, request: httpx.Request) -> bool:
        return "mutation" in json.loads(request.content)["query"]

    def answer(self, request: httpx.Request) -> Any:
        assert request.headers["authorization"] == "the-api_key", "a personal key has no Bearer before it"
        asked, given = body(request)["query"], body(request).get("variables", {})
        assert asked.count("{") == asked.count("}"), asked
        assert all(f"${name}" in asked for name in given), "a variable that is not declared is an error"
        operation = asked.split("{", 1)[1].split("(", 1)[0].strip()
        if operation.startswith("viewer"):
            return {"data": {"viewer": {"id": str(BOT), "name": "Rolecall"}}}
        if operation == "teams":
            return self.page("teams", [{"id": f"team-{name}", "name": name} for name in self.groups], given)
        if operation == "issues":
            assert "sort: [{ updatedAt: { order: Ascending } }]" in asked
            return self.page("issues", [self.shown(ticket) for ticket in self.changed(given["since"])], given)
        if operation in ("commentUpdate", "commentDelete"):
            return self.on_comment(operation, given)
        ticket = self.tickets.get(int(given["id"][:8], 16))
        if ticket is None:
            error = {"message": "Entity not found: Issue", "extensions": {"code": "INPUT_ERROR"}}
            return {"data": None, "errors": [error]}
        return self.on_issue(operation, ticket, asked, given)

    def on_comment(self, operation: str, given: Mapping[str, Any]) -> Any:
        comment = self.comment(str(int(given["id"][:8], 16)))
        if comment is None:
            error = {"message": "Entity not found: Comment", "extensions": {"code": "INPUT_ERROR"}}
            return httpx.Response(400, json={"errors": [error]})
        if operation == "commentDelete":
            for ticket in self.tickets.values():
                ticket.comments = [each for each in ticket.comments if each is not comment]
            return {"data": {"commentDelete": {"success": True}}}
        comment.text = given["text"]
        return {"data": {"commentUpdate": {"success": True, "comment": self.said(comment)}}}

    def on_issue(self, operation: str, ticket: Ticket, asked: str, given: Mapping[str, Any]) -> Any:
        if operation == "commentCreate":
            said = self.said(self.say(ticket, given["text"], BOT, internal=False))
            return {"data": {"commentCreate": {"success": True, "comment": said}}}
        if operation == "issueUpdate":
            team = given.get("team", "").removeprefix("team-") or None
            self.put(ticket, group=team, subject=given.get("title"))
            return {"data": {"issueUpdate": {"success": True}}}
        assert operation == "issue"
        if "comments(" in asked:
            return {"data": {"issue": self.page("comments", [self.said(c) for c in ticket.comments], given)["data"]}}
        if "history(" in asked:
            other = {"createdAt": iso(ticket.created), "actor": None, "fromTeam": None, "toTeam": None}
            moves = [
                {"createdAt": iso(at), "actor": {"id": str(by)}, "fromTeam": {"name": a}, "toTeam": {"name": b}}
                for at, a, b, by in ticket.moves
            ]
            return {"data": {"issue": self.page("history", [other, *moves], given)["data"]}}
        return {"data": {"issue": self.shown(ticket)}}

    def page(self, name: str, rows: Sequence[Any], given: Mapping[str, Any]) -> Any:
        assert given["first"] <= 250
        start = int(given.get("after", "0"))
        more = start + PAGE < len(rows)
        info = {"hasNextPage": more, "endCursor": str(start + PAGE) if rows else None}
        return {"data": {name: {"nodes": rows[start : start + PAGE], "pageInfo": info}}}

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "id": self.name(ticket.id),
            "title": ticket.subject,
            "description": ticket.body,
            "team": {"name": ticket.group},
            "state": {"type": "completed" if ticket.closed else "started"},
            "creator": {"id": "7"},
            "assignee": None,
            "labels": {"nodes": [{"name": tag} for tag in ticket.tags]},
            "priorityLabel": "High",
            "createdAt": iso(ticket.created),
            "updatedAt": iso(ticket.updated),
            "completedAt": iso(ticket.closed),
            "canceledAt": None,
        }

    def said(self, comment: Comment) -> dict[str, Any]:
        return {
            "id": self.name(comment.id),
            "body": comment.text,
            "createdAt": iso(comment.at),
            "user": {"id": str(comment.author)},
        }
