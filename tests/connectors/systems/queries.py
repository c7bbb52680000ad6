"""Linear and Odoo in memory: every request is a POST that says what is wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

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
            self.put(ticket, group=team, subject=given.get("title"), body=given.get("description"))
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


class Odoo(Fake):
    """A method of a model in each address, false for what is empty; a note leaves its ticket's time of change alone.

    Source: odoo.com/documentation/19.0, External JSON-2 API; addons/mail and base in github.com/odoo/odoo.
    """

    url = "https://odoo.example.test"
    api = "/json/2"
    settings: ClassVar[Mapping[str, Any]] = {"login": "rolecall@example.test", "database": "nordhafen"}
    groups = ("Pumps & Drives", "Grid")
    teams: ClassVar[Mapping[int, str]] = {8: "Pumps & Drives", 9: "Grid"}

    def __init__(self) -> None:
        super().__init__()
        self.notices: list[dict[str, Any]] = []
        """What Odoo itself writes into the messages of a ticket: that it was filed, or changed."""

    def routes(self) -> Sequence[Route]:
        return [("POST", r"/([a-z_.]+)/([a-z_]+)", self.called)]

    def writes(self, request: httpx.Request) -> bool:
        return request.url.path.rpartition("/")[2] in ("message_post", "write", "unlink")

    def file(self, subject: str, body: str = "Oil under the pump") -> Ticket:
        return self.noticed(super().file(subject, body))

    def put(self, ticket: Ticket, **changes: Any) -> None:
        super().put(ticket, **changes)
        self.noticed(ticket)

    def close(self, ticket: Ticket) -> None:
        super().close(ticket)
        self.noticed(ticket)

    def noticed(self, ticket: Ticket) -> Ticket:
        row = {"id": self.number(), "res_id": ticket.id, "date": self.stamp(ticket.updated), "body": ""}
        self.notices.append(row | {"message_type": "notification"})
        return ticket

    def stamp(self, at: Any) -> Any:
        return at.strftime("%Y-%m-%d %H:%M:%S") if at else False

    def called(self, request: httpx.Request, model: str, method: str) -> Any:
        assert request.headers["authorization"] == "bearer the-api_key"
        assert request.headers["x-odoo-database"] == "nordhafen"
        given = body(request)
        assert all(type(number) is int for number in given.get("ids", ())), "ids are numbers"
        if (model, method) == ("res.users", "search_read"):
            assert given["domain"] == [["login", "=", "rolecall@example.test"]]
            return [{"id": 2, "name": "Rolecall", "partner_id": [BOT, "Rolecall"]}]
        if (model, method) == ("helpdesk.team", "search_read"):
            return [{"id": number, "name": name} for number, name in self.teams.items()]
        if (model, method) == ("mail.message", "search_read"):
            return self.messages(given)
        if model == "mail.message":
            return self.on_message(method, given)
        if method == "search_read":
            ((field, _, since),) = given["domain"]
            assert (field, given["order"]) == ("close_date", "close_date, id")
            rows = sorted((t for t in self.tickets.values() if t.closed), key=lambda t: (t.closed, t.id))
            rows = [ticket for ticket in rows if self.stamp(ticket.closed) >= since]
            start = given.get("offset", 0)
            return [self.shown(ticket) for ticket in rows[start : start + PAGE]]
        ticket = self.tickets.get(given["ids"][0])
        if ticket is None:
            error = {"name": "odoo.exceptions.MissingError", "message": "Record does not exist or has been deleted."}
            return httpx.Response(404, json=error)
        if method == "message_post":
            assert (given["subtype_xmlid"], given["body_is_html"]) == ("mail.mt_note", True)
            return [self.say(ticket, given["body"], BOT).id]
        if method == "write":
            team = given["vals"].get("team_id")
            self.put(ticket, group=self.teams[team] if team else None, subject=given["vals"].get("name"))
            return True
        assert method == "read"
        return [self.shown(ticket)]

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        team = next(number for number, name in self.teams.items() if name == ticket.group)
        return {
            "id": ticket.id,
            "name": ticket.subject,
            "description": f"<p>{ticket.body}</p>" if ticket.body else False,
            "team_id": [team, ticket.group],
            "close_date": self.stamp(ticket.closed),
            "create_date": self.stamp(ticket.created),
            "write_date": self.stamp(ticket.created),
            "partner_id": False,
            "priority": "1",
        }

    def messages(self, given: Mapping[str, Any]) -> Any:
        domain = {field: value for field, _, value in given["domain"]}
        assert domain["model"] == "helpdesk.ticket"
        rows = [row for row in self.notices if row["res_id"] in self.tickets]
        rows += [self.said(ticket, comment) for ticket in self.tickets.values() for comment in ticket.comments]
        if "res_id" in domain:
            assert given["context"] == {"lang": "en_US"}, "names of subtypes are translated"
            rows = [row for row in rows if row["res_id"] == domain["res_id"]]
            rows = [row for row in rows if row["message_type"] in domain["message_type"]]
            rows.sort(key=lambda row: row["id"])
        else:
            rows = [row for row in rows if row["date"] >= domain["date"]]
            rows.sort(key=lambda row: (row["date"], row["id"]))
        start = given.get("offset", 0)
        return rows[start : start + PAGE]

    def said(self, ticket: Ticket, comment: Comment) -> dict[str, Any]:
        return {
            "id": comment.id,
            "res_id": ticket.id,
            "message_type": "comment",
            "author_id": [comment.author, "Sam"],
            "body": f"<p>{comment.text}</p>" if comment.author != BOT else comment.text,
            "date": self.stamp(comment.at),
            "is_internal": False,
            "subtype_id": [2, "Note"] if comment.internal else [1, "Discussions"],
        }

    def on_message(self, method: str, given: Mapping[str, Any]) -> Any:
        comment = self.comment(str(given["ids"][0]))
        if method == "unlink":
            for ticket in self.tickets.values():
                ticket.comments = [each for each in ticket.comments if each is not comment]
            return True
        if comment is None:
            return httpx.Response(404, json={"name": "odoo.exceptions.MissingError"})
        comment.text = given["vals"]["body"]
        return True
