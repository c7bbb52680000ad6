"""Bugzilla, Gitea and YouTrack in memory."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx

from tests.connectors.systems.fake import BOT, PAGE, Comment, Fake, Route, Ticket, body, iso, numbered


class Bugzilla(Fake):
    """The first comment is the text of the bug; comments stay as they are. Source: bugzilla.readthedocs.io, core v1."""

    api = "/rest"
    groups = ("Pumps & Drives", "Grid")

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", r"/whoami", lambda _: {"id": 1, "name": str(BOT), "real_name": "Rolecall"}),
            ("GET", r"/bug", self.list),
            ("GET", r"/bug/(\d+)", self.read),
            ("PUT", r"/bug/(\d+)", self.changes),
            ("GET", r"/bug/(\d+)/comment", self.comments),
            ("POST", r"/bug/(\d+)/comment", self.commented),
            ("GET", r"/bug/(\d+)/history", self.history),
        ]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["x-bugzilla-api-key"] == request.url.params["api_key"] == "the-api_key"
        return super().__call__(request)

    def gone(self) -> httpx.Response:
        return httpx.Response(404, json={"error": True, "code": 101, "message": "Bug #4711 does not exist."})

    def shown(self, ticket: Ticket) -> Any:
        closed = {"status": "RESOLVED", "resolution": "FIXED"} if ticket.closed else {"status": "NEW", "resolution": ""}
        return closed | {
            "id": ticket.id,
            "summary": ticket.subject,
            "component": ticket.group,
            "is_open": ticket.closed is None,
            "creator": "line3@plant.example",
            "assigned_to": "nobody@plant.example",
            "creation_time": iso(ticket.created),
            "last_change_time": iso(ticket.updated),
            "keywords": ticket.tags,
            "priority": "P2",
            "dupe_of": None,
        }

    def list(self, request: httpx.Request) -> Any:
        params = request.url.params
        assert params["order"] == "changeddate,bug_id"
        offset = int(params["offset"])
        rows = self.changed(params["last_change_time"])[offset : offset + PAGE]
        return {"bugs": [self.shown(ticket) for ticket in rows]}

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return self.gone() if ticket is None else {"bugs": [self.shown(ticket)], "faults": []}

    def changes(self, request: httpx.Request, number: str) -> Any:
        ticket, wanted = self.ticket(number), body(request)
        if ticket is None:
            return self.gone()
        if "component" in wanted and wanted["component"] not in self.groups:
            return httpx.Response(400, json={"error": True, "code": 105, "message": "There is no such component"})
        tags = wanted.get("keywords", {}).get("add", ())
        self.put(ticket, group=wanted.get("component"), subject=wanted.get("summary"), tags=tags)
        return {"bugs": [{"id": ticket.id, "changes": {}}]}

    def comments(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        first = Comment(ticket.id + 100_000, 7, ticket.body, internal=False, at=ticket.created)
        rows = [
            {
                "id": comment.id,
                "bug_id": ticket.id,
                "creator": str(comment.author),
                "text": comment.text,
                "is_private": comment.internal,
                "time": iso(comment.at),
                "creation_time": iso(comment.at),
                "count": count,
            }
            for count, comment in enumerate([first, *ticket.comments])
        ]
        return {"bugs": {number: {"comments": rows}}, "comments": {}}

    def commented(self, request: httpx.Request, number: str) -> Any:
        ticket, wanted = self.ticket(number), body(request)
        if ticket is None:
            return self.gone()
        comment = self.say(ticket, wanted["comment"], BOT, internal=wanted["is_private"])
        return httpx.Response(201, json={"id": comment.id})

    def history(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        rows: list[Any] = [
            {
                "when": iso(at),
                "who": str(by),
                "changes": [
                    {"field_name": "assigned_to", "removed": "a", "added": "b"},
                    {"field_name": "component", "removed": before, "added": after},
                ],
            }
            for at, before, after, by in ticket.moves
        ]
        if ticket.closed:
            changes = [{"field_name": "resolution", "removed": "", "added": "FIXED"}]
            rows.append({"when": iso(ticket.closed), "who": str(BOT), "changes": changes})
        return {"bugs": [{"id": ticket.id, "alias": [], "history": rows}]}


class YouTrack(Fake):
    """Fields are asked for by name, and changes are POSTs. Source: jetbrains.com/help/youtrack/devportal."""

    url = "https://nordhafen.youtrack.example"
    api = "/api"
    settings: ClassVar[Mapping[str, Any]] = {"project": "PLANT", "staff_group": "3-7"}
    groups = ("Pumps", "Grid")
    known = ("pumps", "oil", "role-hydraulics")

    def name(self, number: int) -> str:
        return f"PLANT-{number}"

    def note_name(self, number: int) -> str:
        return f"4-{number}"

    def routes(self) -> Sequence[Route]:
        issue, note = r"/issues/PLANT-(\d+)", r"/issues/PLANT-(\d+)/comments/4-(\d+)"
        return [
            ("GET", r"/users/me", lambda _: {"id": str(BOT), "login": "rolecall", "$type": "Me"}),
            ("GET", r"/issues", self.list),
            ("GET", issue, self.read),
            ("POST", issue, self.changes),
            ("GET", f"{issue}/comments", self.comments),
            ("POST", f"{issue}/comments", self.commented),
            ("POST", note, self.edited),
            ("DELETE", note, self.remove),
            ("GET", r"/tags", self.tags_there),
            ("POST", f"{issue}/tags", self.tagged),
        ]

    def shown(self, ticket: Ticket) -> Any:
        fields = [{"name": "Priority", "value": {"id": "1", "name": "Major"}}, {"name": "Assignee", "value": None}]
        return {
            "$type": "Issue",
            "idReadable": self.name(ticket.id),
            "summary": ticket.subject,
            "description": ticket.body,
            "created": _milliseconds(ticket.created),
            "updated": _milliseconds(ticket.updated),
            "resolved": _milliseconds(ticket.closed) if ticket.closed else None,
            "reporter": {"id": "1-7"},
            "tags": [{"name": tag} for tag in ticket.tags],
            "customFields": [*fields, {"name": "Subsystem", "value": {"id": "2", "name": ticket.group}}],
        }

    def list(self, request: httpx.Request) -> Any:
        asked = re.fullmatch(r"project: PLANT updated: (\S+) \.\. \* sort by: updated asc", request.url.params["query"])
        assert asked, request.url
        rows = self.changed(asked[1], "%Y-%m-%dT%H:%M")
        return [self.shown(ticket) for ticket in self.page(rows, request)]

    def page(self, rows: Sequence[Any], request: httpx.Request) -> Sequence[Any]:
        skip = int(request.url.params.get("$skip", "0"))
        return rows[skip : skip + PAGE]

    def read(self, request: httpx.Request, number: str) -> Any:
        assert "customFields(name,value(id,name))" in request.url.params["fields"], "fields are told only if asked for"
        ticket = self.ticket(number)
        return self.gone() if ticket is None else self.shown(ticket)

    def changes(self, request: httpx.Request, number: str) -> Any:
        ticket, wanted = self.ticket(number), body(request)
        if ticket is None:
            return self.gone()
        self.put(ticket, subject=wanted.get("summary"), body=wanted.get("description"))
        return {"id": f"2-{number}", "$type": "Issue"}

    def row(self, comment: Comment) -> Any:
        kind = "LimitedVisibility" if comment.internal else "UnlimitedVisibility"
        shown = {"id": self.note_name(comment.id), "text": comment.text, "created": _milliseconds(comment.at)}
        return shown | {"deleted": False, "author": {"id": str(comment.author)}, "visibility": {"$type": kind}}

    def comments(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        return [self.row(comment) for comment in self.page(ticket.comments, request)]

    def commented(self, request: httpx.Request, number: str) -> Any:
        ticket, wanted = self.ticket(number), body(request)
        if ticket is None:
            return self.gone()
        hidden = wanted["visibility"] == {"$type": "LimitedVisibility", "permittedGroups": [{"id": "3-7"}]}
        return self.row(self.say(ticket, wanted["text"], BOT, internal=hidden))

    def edited(self, request: httpx.Request, _number: str, comment: str) -> Any:
        there = self.comment(comment)
        if there is None:
            return self.gone()
        there.text = body(request)["text"]
        return self.row(there)

    def tags_there(self, request: httpx.Request) -> Any:
        return self.page([{"id": f"6-{number}", "name": name} for number, name in enumerate(self.known)], request)

    def tagged(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        self.put(ticket, tags=[self.known[int(body(request)["id"].removeprefix("6-"))]])
        return body(request)


class Gitea(Fake):
    """The list is in the order of filing; labels are told by their ids. Source: Gitea 1.22, /api/swagger."""

    api = "/api/v1"
    settings: ClassVar[Mapping[str, Any]] = {"owner": "nordhafen", "repository": "field-ops"}
    groups = ("pumps", "grid")
    known = ("pumps", "oil", "role-hydraulics")

    def routes(self) -> Sequence[Route]:
        repository = "/repos/nordhafen/field-ops"
        issue = rf"{repository}/issues/(\d+)"
        return [
            ("GET", r"/user", lambda _: {"id": BOT, "login": "rolecall"}),
            ("GET", f"{repository}/issues", self.list),
            ("GET", f"{repository}/labels", lambda request: numbered(self.labels(self.known), request)),
            ("GET", issue, self.read),
            ("PATCH", issue, self.changes),
            ("GET", f"{issue}/comments", self.comments),
            ("POST", f"{issue}/comments", self.commented),
            ("POST", f"{issue}/labels", self.labelled),
            ("PATCH", rf"{repository}/issues/comments/(\d+)", self.edited),
            ("DELETE", rf"{repository}/issues/comments/(\d+)", self.remove),
        ]

    def labels(self, names: Sequence[str]) -> Sequence[Any]:
        return [{"id": 40 + self.known.index(name), "name": name} for name in names]

    def shown(self, ticket: Ticket) -> Any:
        return {
            "id": ticket.id + 600,
            "number": ticket.id,
            "title": ticket.subject,
            "body": ticket.body,
            "user": {"id": 7, "login": "line3"},
            "labels": self.labels(ticket.tags),
            "state": "closed" if ticket.closed else "open",
            "assignee": None,
            "created_at": iso(ticket.created),
            "updated_at": iso(ticket.updated),
            "closed_at": iso(ticket.closed),
        }

    def list(self, request: httpx.Request) -> Any:
        params = request.url.params
        assert (params["state"], params["type"]) == ("all", "issues")
        rows = sorted(self.changed(params["since"]), key=lambda ticket: ticket.id, reverse=True)
        return [self.shown(ticket) for ticket in numbered(rows, request)]

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return self.gone() if ticket is None else self.shown(ticket)

    def changes(self, request: httpx.Request, number: str) -> Any:
        ticket, wanted = self.ticket(number), body(request)
        if ticket is None:
            return self.gone()
        self.put(ticket, subject=wanted.get("title"), body=wanted.get("body"))
        return httpx.Response(201, json=self.shown(ticket))

    def row(self, comment: Comment) -> Any:
        shown = {"id": comment.id, "body": comment.text, "user": {"id": comment.author, "login": "somebody"}}
        return shown | {"created_at": iso(comment.at), "updated_at": iso(comment.at)}

    def comments(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return self.gone() if ticket is None else [self.row(comment) for comment in ticket.comments]

    def commented(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        return httpx.Response(201, json=self.row(self.say(ticket, body(request)["body"], BOT, internal=False)))

    def edited(self, request: httpx.Request, number: str) -> Any:
        comment = self.comment(number)
        if comment is None:
            return self.gone()
        comment.text = body(request)["body"]
        return self.row(comment)

    def labelled(self, request: httpx.Request, number: str) -> Any:
        ticket, wanted = self.ticket(number), body(request)["labels"]
        if ticket is None:
            return self.gone()
        self.put(ticket, tags=[self.known[each - 40] for each in wanted])
        return self.labels(ticket.tags)


def _milliseconds(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp() * 1000)
