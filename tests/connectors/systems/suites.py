"""Jira, ServiceNow and HaloPSA in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx

from tests.connectors.systems.fake import BOT, PAGE, TECH, Comment, Fake, Route, Ticket, body, form, numbered


class Jira(Fake):
    """Keys in place of numbers, texts as documents, times with a zone. Source: Jira Cloud's own OpenAPI document."""

    url = "https://nordhafen.atlassian.example.test"
    api = "/ex/jira/1/rest/api/3"
    settings: ClassVar[Mapping[str, Any]] = {
        "api_url": "https://api.atlassian.example.test/ex/jira/1",
        "email": "rolecall@example.test",
        "jql": "project = OPS",
    }

    groups = ("Pumps & Drives", "Grid")

    def name(self, number: int) -> str:
        return f"OPS-{number}"

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", r"/myself", lambda _: {"accountId": str(BOT), "displayName": "Rolecall"}),
            ("GET", r"/search/jql", self.search),
            ("GET", r"/issue/OPS-(\d+)", self.read),
            ("PUT", r"/issue/OPS-(\d+)", self.update),
            ("GET", r"/issue/OPS-(\d+)/changelog", self.changelog),
            ("GET", r"/issue/OPS-(\d+)/comment", self.comments),
            ("POST", r"/issue/OPS-(\d+)/comment", self.write),
            ("PUT", r"/issue/OPS-(\d+)/comment/(\d+)", self.edit),
            ("DELETE", r"/issue/OPS-(\d+)/comment/(\d+)", self.remove),
        ]

    def stamp(self, at: datetime | None) -> str | None:
        return at.strftime("%Y-%m-%dT%H:%M:%S.000+0000") if at else None

    def document(self, text: str) -> Any:
        paragraphs = [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in text.split("\n")]
        return {"type": "doc", "version": 1, "content": paragraphs}

    def words(self, document: Any) -> str:
        """Return the text of a document that the connector wrote."""
        assert (document["type"], document["version"]) == ("doc", 1)
        return "\n".join("".join(span["text"] for span in each["content"]) for each in document["content"])

    def search(self, request: httpx.Request) -> Any:
        jql = request.url.params["jql"]
        assert jql.startswith("(project = OPS) AND updated >= ")
        since = datetime.fromtimestamp(int(jql.split()[6]) / 1000, UTC)
        rows = sorted((t for t in self.tickets.values() if t.updated >= since), key=lambda t: t.updated)
        start = int(request.url.params.get("nextPageToken", "0"))
        found = [
            {"key": f"OPS-{t.id}", "fields": {"updated": self.stamp(t.updated)}} for t in rows[start : start + PAGE]
        ]
        more = start + PAGE < len(rows)
        return {"issues": found, "isLast": not more, **({"nextPageToken": str(start + PAGE)} if more else {})}

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        fields = {
            "summary": ticket.subject,
            "description": self.document(ticket.body),
            "components": [{"name": ticket.group}],
            "status": {"name": "Done" if ticket.closed else "Open", "statusCategory": {"key": self.category(ticket)}},
            "created": self.stamp(ticket.created),
            "updated": self.stamp(ticket.updated),
            "resolutiondate": self.stamp(ticket.closed),
            "reporter": {"accountId": "7"},
            "assignee": None,
            "labels": ticket.tags,
        }
        return {"id": "1", "key": f"OPS-{ticket.id}", "fields": fields}

    def update(self, request: httpx.Request, number: str) -> Any:
        ticket, given = self.ticket(number), body(request)
        if ticket is None:
            return self.gone()
        fields, added = given.get("fields", {}), given.get("update", {}).get("labels", [])
        (group,) = [each["name"] for each in fields.get("components", [])] or [None]
        self.put(ticket, group=group, subject=fields.get("summary"), tags=[each["add"] for each in added])
        return httpx.Response(204)

    def changelog(self, request: httpx.Request, number: str) -> Any:
        ticket, start = self.ticket(number), int(request.url.params.get("startAt", "0"))
        if ticket is None:
            return self.gone()
        other = {"created": self.stamp(ticket.created), "items": [{"field": "summary", "toString": "x"}]}
        rows = [
            {
                "created": self.stamp(at),
                "author": {"accountId": str(by)},
                "items": [
                    {"field": "Component", "fromString": before, "toString": ""},
                    {"field": "Component", "fromString": None, "toString": after},
                ],
            }
            for at, before, after, by in ticket.moves
        ]
        return {"values": [other, *rows][start : start + PAGE], "startAt": start}

    def category(self, ticket: Ticket) -> str:
        return "done" if ticket.closed else "new"

    def said(self, comment: Comment) -> Any:
        return {
            "id": str(comment.id),
            "author": {"accountId": str(comment.author), "displayName": "Zoe"},
            "body": self.document(comment.text),
            "created": self.stamp(comment.at),
            "jsdPublic": not comment.internal,
        }

    def comments(self, request: httpx.Request, number: str) -> Any:
        ticket, start = self.ticket(number), int(request.url.params.get("startAt", "0"))
        if ticket is None:
            return self.gone()
        rows = [self.said(comment) for comment in ticket.comments]
        return {"comments": rows[start : start + PAGE], "startAt": start, "maxResults": PAGE, "total": len(rows)}

    def write(self, request: httpx.Request, number: str) -> Any:
        ticket, given = self.ticket(number), body(request)
        if ticket is None:
            return self.gone()
        internal = {"key": "sd.public.comment", "value": {"internal": True}} in given["properties"]
        return httpx.Response(201, json=self.said(self.say(ticket, self.words(given["body"]), BOT, internal=internal)))

    def edit(self, request: httpx.Request, number: str, comment_id: str) -> Any:
        comment = self.comment(comment_id)
        if comment is None:
            return self.gone()
        comment.text = self.words(body(request)["body"])
        return self.said(comment)


class ServiceNow(Fake):
    """Ids are hexadecimal, times have no zone, notes a table of their own. Source: docs.servicenow.com, Table API."""

    api = "/api/now/table"
    settings: ClassVar[Mapping[str, Any]] = {"user": str(BOT)}

    def name(self, number: int) -> str:
        return f"{number:032x}"

    note_name = name
    groups = ("8" * 32, "9" * 32)

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", r"/sys_user", lambda _: {"result": [{"user_name": str(BOT), "name": "Rolecall"}]}),
            ("GET", r"/incident", self.list),
            ("GET", r"/incident/([0-9a-f]{32})", self.read),
            ("PATCH", r"/incident/([0-9a-f]{32})", self.write),
            ("GET", r"/sys_journal_field", self.journal),
        ]

    def stamp(self, at: datetime | None) -> str:
        return at.strftime("%Y-%m-%d %H:%M:%S") if at else ""

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "sys_id": self.name(ticket.id),
            "number": f"INC{ticket.id:07}",
            "short_description": ticket.subject,
            "description": ticket.body,
            "state": "7" if ticket.closed else "1",
            "assignment_group": {"link": "...", "value": ticket.group},
            "caller_id": {"link": "...", "value": "7" * 32},
            "priority": "3",
            "sys_created_on": self.stamp(ticket.created),
            "sys_updated_on": self.stamp(ticket.updated),
            "closed_at": self.stamp(ticket.closed),
            "resolved_at": "",
        }

    def page(self, rows: Sequence[Any], request: httpx.Request) -> Any:
        start = int(request.url.params.get("sysparm_offset", "0"))
        return {"result": rows[start : start + PAGE]}

    def list(self, request: httpx.Request) -> Any:
        query = request.url.params["sysparm_query"].split("^")[0].removeprefix("sys_updated_on>=")
        return self.page([self.shown(ticket) for ticket in self.changed(query, "%Y-%m-%d %H:%M:%S")], request)

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.tickets.get(int(number, 16))
        return {"result": self.shown(ticket)} if ticket else self.gone()

    def journal(self, request: httpx.Request) -> Any:
        ticket = self.tickets.get(
            int(request.url.params["sysparm_query"].split("^")[0].removeprefix("element_id="), 16)
        )
        rows = [
            {
                "sys_id": self.name(c.id),
                "element": "work_notes" if c.internal else "comments",
                "value": c.text,
                "sys_created_by": str(c.author),
                "sys_created_on": self.stamp(c.at),
            }
            for c in (ticket.comments if ticket else ())
        ]
        return self.page(rows, request)

    def write(self, request: httpx.Request, number: str) -> Any:
        ticket = self.tickets.get(int(number, 16))
        if ticket is None:
            return self.gone()
        given = body(request)
        if "work_notes" in given:
            self.say(ticket, given["work_notes"], BOT)
        words = {"subject": given.get("short_description"), "body": given.get("description")}
        self.put(ticket, group=given.get("assignment_group"), **words)
        return {"result": self.shown(ticket)}


class HaloPSA(Fake):
    """What is written is a list; notes are counted anew in each ticket. Source: the vendor's API document, v2."""

    url = "https://nordhafen.halopsa.example.test"
    api = "/api"
    groups = ("Pumps & Drives", "Grid")
    teams: ClassVar[Mapping[int, str]] = {8: "Pumps & Drives", 9: "Grid"}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            given = form(request)
            assert (given["grant_type"], given["scope"]) == ("client_credentials", "read:tickets edit:tickets")
            return httpx.Response(200, json={"access_token": "token-1", "token_type": "Bearer", "expires_in": 3600})
        assert request.headers["authorization"] == "Bearer token-1"
        return super().__call__(request)

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", r"/Agent/me", lambda _: {"id": BOT, "name": "Rolecall"}),
            ("GET", r"/Team", lambda _: [{"id": number, "name": name} for number, name in self.teams.items()]),
            ("GET", r"/Tickets", self.list),
            ("GET", r"/Tickets/(\d+)", self.read),
            ("POST", r"/Tickets", self.update),
            ("GET", r"/Actions", self.actions),
            ("POST", r"/Actions", self.write),
            ("DELETE", r"/Actions/(\d+)", self.forgotten),
        ]

    def stamp(self, at: datetime | None) -> str | None:
        return at.strftime("%Y-%m-%dT%H:%M:%S.000") if at else None

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "id": ticket.id,
            "summary": ticket.subject,
            "details": ticket.body,
            "team": ticket.group,
            "status_id": 9 if ticket.closed else 1,
            "user_id": 7,
            "agent_id": 1,
            "priority_id": 3,
            "dateoccurred": self.stamp(ticket.created),
            "last_update": self.stamp(ticket.updated),
            "dateclosed": self.stamp(ticket.closed),
        }

    def list(self, request: httpx.Request) -> Any:
        params = request.url.params
        assert (params["order"], params["orderdesc"], params["pageinate"]) == ("last_update", "false", "true")
        rows = self.changed(params["lastupdatefromdate"], "%Y-%m-%dT%H:%M:%S")
        return {"record_count": len(rows), "tickets": [self.shown(t) for t in numbered(rows, request, "page_no")]}

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return self.shown(ticket) if ticket else self.gone()

    def say(self, ticket: Ticket, text: str, author: int = TECH, *, internal: bool = True) -> Comment:
        comment = super().say(ticket, text, author, internal=internal)
        comment.id = max((each.id for each in ticket.comments[:-1]), default=0) + 1
        return comment

    def said(self, ticket: Ticket, comment: Comment) -> dict[str, Any]:
        return {
            "id": comment.id,
            "ticket_id": ticket.id,
            "who": "Sam",
            "who_agentid": comment.author,
            "note": comment.text,
            "note_html": comment.text if comment.author == BOT else f"<p>{comment.text}</p>",
            "hiddenfromuser": comment.internal,
            "datetime": self.stamp(comment.at),
        }

    def actions(self, request: httpx.Request) -> Any:
        ticket = self.ticket(request.url.params["ticket_id"])
        rows = [self.said(ticket, comment) for comment in ticket.comments] if ticket else []
        return {"record_count": len(rows), "actions": rows[::-1]}

    def write(self, request: httpx.Request) -> Any:
        (given,) = body(request)
        ticket = self.tickets.get(given["ticket_id"])
        if ticket is None:
            return self.gone()
        if "id" in given:
            found = [comment for comment in ticket.comments if comment.id == given["id"]]
            if not found:
                return self.gone()
            found[0].text = given["note_html"]
            return httpx.Response(201, json=self.said(ticket, found[0]))
        assert given["outcome"] == "Private Note", "what kind of action it is has to be named"
        comment = self.say(ticket, given["note_html"], BOT, internal=given["hiddenfromuser"])
        return httpx.Response(201, json=self.said(ticket, comment))

    def forgotten(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(request.url.params["ticket_id"])
        left = [comment for comment in ticket.comments if comment.id != int(number)] if ticket else []
        if ticket is None or len(left) == len(ticket.comments):
            return self.gone()
        ticket.comments = left
        return httpx.Response(200, json={})

    def update(self, request: httpx.Request) -> Any:
        (given,) = body(request)
        ticket = self.tickets.get(given["id"])
        if ticket is None:
            return self.gone()
        self.put(ticket, group=self.teams.get(given.get("team_id")), subject=given.get("summary"))
        return httpx.Response(201, json=self.shown(ticket))
