"""Redmine, NetBox, GitHub and GitLab in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import httpx

from tests.connectors.systems.fake import BOT, PAGE, Comment, Fake, Route, Ticket, body, iso, numbered


class Redmine(Fake):
    """Notes are journals inside the issue; writing answers 204 without an id. Source: Redmine 5.0.4, as it runs."""

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", r"/users/current\.json", lambda _: {"user": {"id": BOT, "login": "rolecall"}}),
            ("GET", r"/issues\.json", self.list),
            ("GET", r"/issues/(\d+)\.json", self.read),
            ("PUT", r"/issues/(\d+)\.json", self.write),
            ("PUT", r"/journals/(\d+)\.json", self.edit),
            ("GET", r"/projects\.json", self.projects),
        ]

    groups = ("Maintenance", "Grid")

    def projects(self, request: httpx.Request) -> Any:
        offset = int(request.url.params.get("offset", "0"))
        rows = [{"id": number, "name": name} for number, name in enumerate(("Old works", *self.groups))]
        return {"projects": rows[offset : offset + PAGE], "total_count": len(rows)}

    def project(self, name: str) -> int:
        return ("Old works", *self.groups).index(name)

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "id": ticket.id,
            "project": {"id": self.project(ticket.group), "name": ticket.group},
            "status": {"id": 5 if ticket.closed else 1, "name": "Closed" if ticket.closed else "New"},
            "author": {"id": 7, "name": "Line 3"},
            "subject": ticket.subject,
            "description": ticket.body,
            "created_on": iso(ticket.created),
            "updated_on": iso(ticket.updated),
            "closed_on": iso(ticket.closed),
        }

    def list(self, request: httpx.Request) -> Any:
        params = request.url.params
        rows = self.changed(params["updated_on"].removeprefix(">="))
        offset = int(params.get("offset", "0"))
        page = [self.shown(ticket) for ticket in rows[offset : offset + PAGE]]
        return {"issues": page, "total_count": len(rows), "offset": offset, "limit": PAGE}

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return httpx.Response(404, headers={"content-type": "application/json"})
        moved = {"id": 1, "user": {"id": 7}, "notes": "", "private_notes": False, "created_on": iso(ticket.created)}
        journals = [
            {
                "id": comment.id,
                "user": {"id": comment.author, "name": "Somebody"},
                "notes": comment.text,
                "private_notes": comment.internal,
                "created_on": iso(comment.at),
            }
            for comment in ticket.comments
        ]
        moves = [
            {
                "id": 2 + number,
                "user": {"id": by},
                "notes": "",
                "created_on": iso(at),
                "details": [
                    {"property": "attr", "name": "tracker_id", "old_value": "1", "new_value": "2"},
                    {
                        "property": "attr",
                        "name": "project_id",
                        "old_value": str(self.project(before)),
                        "new_value": str(self.project(after)),
                    },
                ],
            }
            for number, (at, before, after, by) in enumerate(ticket.moves)
        ]
        return {"issue": {**self.shown(ticket), "journals": [moved, *journals, *moves]}}

    def write(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return httpx.Response(404)
        issue = body(request)["issue"]
        if "notes" in issue:
            self.say(ticket, issue["notes"], BOT, internal=issue["private_notes"])
        project = issue.get("project_id")
        group = None if project is None else ("Old works", *self.groups)[project]
        self.put(ticket, group=group, subject=issue.get("subject"))
        return httpx.Response(204)

    def edit(self, request: httpx.Request, number: str) -> Any:
        comment, text = self.comment(number), body(request)["journal"]["notes"]
        if comment is None or not text:
            return self.remove(request, number)
        comment.text = text
        return httpx.Response(204)


class Redmine7(Redmine):
    """As before, with webhooks. Source: Redmine 7.0, app/models/webhook_payload.rb."""


class NetBox(Fake):
    """Notes are journal entries; lists name the whole address of the next page. Source: NetBox 4.7.3, as it runs."""

    api = "/api"

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", r"/authentication-check/", lambda _: {"id": BOT, "username": "rolecall"}),
            ("GET", r"/plugins/maintenance/circuitmaintenance/", self.list),
            ("GET", r"/plugins/maintenance/circuitmaintenance/(\d+)/", self.read),
            ("PATCH", r"/plugins/maintenance/circuitmaintenance/(\d+)/", self.update),
            ("GET", r"/extras/journal-entries/", self.journal),
            ("POST", r"/extras/journal-entries/", self.write),
            ("PATCH", r"/extras/journal-entries/(\d+)/", self.edit),
            ("DELETE", r"/extras/journal-entries/(\d+)/", self.remove),
        ]

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "id": ticket.id,
            "summary": ticket.subject,
            "comments": ticket.body,
            "status": "COMPLETED" if ticket.closed else "TENTATIVE",
            "provider": {"id": 1, "slug": "acme"},
            "created": iso(ticket.created),
            "last_updated": iso(ticket.updated),
            "tags": [],
        }

    def entry(self, ticket: Ticket, comment: Comment) -> dict[str, Any]:
        return {
            "id": comment.id,
            "assigned_object_id": ticket.id,
            "created": iso(comment.at),
            "created_by": comment.author,
            "comments": comment.text,
        }

    def page(self, rows: Sequence[Any], request: httpx.Request) -> Any:
        offset = int(request.url.params.get("offset", "0"))
        more = offset + PAGE < len(rows)
        following = f"http://netbox.internal{request.url.path}?limit={PAGE}&offset={offset + PAGE}"
        return {"count": len(rows), "next": following if more else None, "results": rows[offset : offset + PAGE]}

    def list(self, request: httpx.Request) -> Any:
        rows = self.changed(request.url.params["last_updated__gte"])
        return self.page([self.shown(ticket) for ticket in rows], request)

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return self.shown(ticket) if ticket else self.gone()

    def update(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        self.put(ticket, subject=body(request)["summary"])
        return self.shown(ticket)

    def journal(self, request: httpx.Request) -> Any:
        ticket = self.ticket(request.url.params["assigned_object_id"])
        return self.page([self.entry(ticket, c) for c in ticket.comments] if ticket else [], request)

    def write(self, request: httpx.Request) -> Any:
        given = body(request)
        ticket = self.ticket(given["assigned_object_id"])
        if ticket is None:
            return httpx.Response(400, json={"__all__": ["Invalid assigned_object: circuitmaintenance ID 7"]})
        return httpx.Response(201, json=self.entry(ticket, self.say(ticket, given["comments"], BOT)))

    def edit(self, request: httpx.Request, number: str) -> Any:
        for ticket in self.tickets.values():
            for comment in ticket.comments:
                if comment.id == int(number):
                    comment.text = body(request)["comments"]
                    return self.entry(ticket, comment)
        return self.gone()


class GitHub(Fake):
    """Lists go on by a Link header; pull requests stand among issues. Source: docs.github.com, REST, issues."""

    url = "https://github.example.test"
    api = "/api/v3/repos/nordhafen/field-ops"
    settings: ClassVar[Mapping[str, Any]] = {
        "owner": "nordhafen",
        "repository": "field-ops",
        "api_url": "https://github.example.test/api/v3",
    }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v3/user" and not self.failures:
            return httpx.Response(200, json={"id": BOT, "login": "rolecall"})
        return super().__call__(request)

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", r"/issues", self.list),
            ("GET", r"/issues/(\d+)", self.read),
            ("GET", r"/issues/(\d+)/comments", self.comments),
            ("POST", r"/issues/(\d+)/comments", self.write),
            ("PATCH", r"/issues/comments/(\d+)", self.edit),
            ("POST", r"/issues/(\d+)/labels", self.label),
            ("PATCH", r"/issues/(\d+)", self.update),
            ("DELETE", r"/issues/comments/(\d+)", self.remove),
        ]

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "id": 3_000_000 + ticket.id,
            "number": ticket.id,
            "title": ticket.subject,
            "body": ticket.body,
            "state": "closed" if ticket.closed else "open",
            "user": {"id": 7, "login": "line3"},
            "labels": [{"name": tag} for tag in ticket.tags],
            "assignee": None,
            "created_at": iso(ticket.created),
            "updated_at": iso(ticket.updated),
            "closed_at": iso(ticket.closed),
        }

    def said(self, comment: Comment) -> dict[str, Any]:
        return {
            "id": comment.id,
            "user": {"id": comment.author, "login": "somebody"},
            "author_association": "MEMBER",
            "body": comment.text,
            "created_at": iso(comment.at),
        }

    def page(self, rows: Sequence[Any], request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("page", "1"))
        here = request.url.copy_merge_params({"page": str(number + 1)})
        more = number * PAGE < len(rows)
        headers = {"link": f'<{here}>; rel="next", <{here}>; rel="last"'} if more else {}
        return httpx.Response(200, json=numbered(rows, request), headers=headers)

    def list(self, request: httpx.Request) -> Any:
        rows = [self.shown(ticket) for ticket in self.changed(request.url.params["since"])]
        pull = {"number": 1, "title": "A pull request", "pull_request": {"url": "..."}, "updated_at": iso(self.clock)}
        return self.page([*rows, pull], request)

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return self.shown(ticket) if ticket else httpx.Response(410, json={"message": "This issue was deleted"})

    def comments(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return self.page([self.said(comment) for comment in ticket.comments], request) if ticket else self.gone()

    def write(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        return httpx.Response(201, json=self.said(self.say(ticket, body(request)["body"], BOT, internal=False)))

    def edit(self, request: httpx.Request, number: str) -> Any:
        comment = self.comment(number)
        if comment is None:
            return self.gone()
        comment.text = body(request)["body"]
        return self.said(comment)

    def label(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        self.put(ticket, tags=body(request)["labels"])
        return self.shown(ticket)["labels"]

    def update(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        self.put(ticket, subject=body(request)["title"])
        return self.shown(ticket)


class GitLab(Fake):
    """Notes are internal on request; system notes stand among them. Source: docs.gitlab.com, REST, notes and issues."""

    api = "/api/v4"
    settings: ClassVar[Mapping[str, Any]] = {"project": "15"}

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", r"/user", lambda _: {"id": BOT, "username": "rolecall"}),
            ("GET", r"/projects/15/issues", self.list),
            ("GET", r"/projects/15/issues/(\d+)", self.read),
            ("GET", r"/projects/15/issues/(\d+)/notes", self.notes),
            ("POST", r"/projects/15/issues/(\d+)/notes", self.write),
            ("PUT", r"/projects/15/issues/(\d+)/notes/(\d+)", self.edit),
            ("PUT", r"/projects/15/issues/(\d+)", self.update),
            ("DELETE", r"/projects/15/issues/(\d+)/notes/(\d+)", self.remove),
        ]

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "id": 900 + ticket.id,
            "iid": ticket.id,
            "title": ticket.subject,
            "description": ticket.body,
            "state": "closed" if ticket.closed else "opened",
            "labels": ticket.tags,
            "author": {"id": 7},
            "assignee": None,
            "created_at": iso(ticket.created),
            "updated_at": iso(ticket.updated),
            "closed_at": iso(ticket.closed),
        }

    def said(self, comment: Comment) -> dict[str, Any]:
        return {
            "id": comment.id,
            "body": comment.text,
            "author": {"id": comment.author},
            "internal": comment.internal,
            "system": False,
            "created_at": iso(comment.at),
        }

    def list(self, request: httpx.Request) -> Any:
        return [self.shown(ticket) for ticket in numbered(self.changed(request.url.params["updated_after"]), request)]

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return self.shown(ticket) if ticket else self.gone()

    def notes(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        moved = {"id": 1, "body": "changed the description", "author": {"id": 7}, "system": True, "internal": False}
        rows = [{**moved, "created_at": iso(ticket.created)}, *map(self.said, ticket.comments)]
        return numbered(rows, request)

    def write(self, request: httpx.Request, number: str) -> Any:
        ticket, given = self.ticket(number), body(request)
        if ticket is None:
            return self.gone()
        return httpx.Response(201, json=self.said(self.say(ticket, given["body"], BOT, internal=given["internal"])))

    def edit(self, request: httpx.Request, number: str, note: str) -> Any:
        ticket = self.ticket(number)
        for comment in ticket.comments if ticket else ():
            if comment.id == int(note):
                comment.text = body(request)["body"]
                return self.said(comment)
        return self.gone()

    def update(self, request: httpx.Request, number: str) -> Any:
        ticket, given = self.ticket(number), body(request)
        if ticket is None:
            return self.gone()
        self.put(ticket, subject=given.get("title"), tags=[each for each in [given.get("add_labels")] if each])
        return self.shown(ticket)
