"""Redmine, NetBox, GitHub, GitLab, Roundup and Pagure in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx

from tests.connectors.systems.fake import BOT, PAGE, Comment, Fake, Route, Ticket, body, form, iso, numbered


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
        self.put(ticket, group=group, subject=issue.get("subject"), body=issue.get("description"))
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
        given = body(request)
        self.put(ticket, subject=given.get("summary"), body=given.get("comments"))
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
        given = body(request)
        self.put(ticket, subject=given.get("title"), body=given.get("body"))
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
            "author": {"id": comment.author, "name": "Somebody"},
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
        added = [each for each in [given.get("add_labels")] if each]
        self.put(ticket, subject=given.get("title"), body=given.get("description"), tags=added)
        return self.shown(ticket)


class Roundup(Fake):
    """A message is made first and put on its issue then, whose etag has to fit; a list shows links for texts.

    Source: Roundup 2.6.0, as it runs, and its rest.txt.
    """

    url = "https://roundup.example.test"
    api = "/rest/data"
    settings: ClassVar[Mapping[str, Any]] = {"user": "rolecall"}
    groups = ("Pumps & Drives", "Grid")

    def __init__(self) -> None:
        super().__init__()
        self.loose: dict[int, Comment] = {}
        """Messages that are on no issue yet."""

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", r"/user", lambda _: {"data": {"collection": [{"id": str(BOT), "username": "rolecall"}]}}),
            ("GET", r"/issue", self.list),
            ("GET", r"/issue/(\d+)", self.read),
            ("PATCH", r"/issue/(\d+)", self.write),
            ("POST", r"/msg", self.make),
            ("GET", r"/msg/(\d+)", self.message),
            ("PATCH", r"/msg/(\d+)", self.edit),
        ]

    def writes(self, request: httpx.Request) -> bool:
        return request.method == "PATCH"

    def stamp(self, at: datetime | None) -> str | None:
        return at.strftime("%Y-%m-%d.%H:%M:%S") if at else None

    def etag(self, *parts: object) -> str:
        return f'"{hash(parts):x}"'

    def etag_of(self, ticket: Ticket) -> str:
        return self.etag(ticket.subject, ticket.updated, len(ticket.comments))

    def attributes(self, ticket: Ticket) -> dict[str, Any]:
        numbers = [ticket.id * 10, *(comment.id for comment in ticket.comments)]
        return {
            "title": ticket.subject,
            "messages": [{"id": str(number), "link": "..."} for number in numbers],
            "creation": self.stamp(ticket.created),
            "activity": self.stamp(ticket.updated),
            "creator": {"id": "7", "username": "line3"},
            "status": {"id": "8", "name": "resolved"} if ticket.closed else {"id": "1", "name": "unread"},
            "keyword": [{"id": "1", "name": ticket.group}],
            "assignedto": None,
            "priority": None,
        }

    def list(self, request: httpx.Request) -> Any:
        params = request.url.params
        assert params["@sort"] == "activity"
        rows = self.changed(params["activity"].removeprefix("from "), "%Y-%m-%d.%H:%M:%S")
        page = numbered(rows, request, "@page_index")
        found = [{"id": str(ticket.id), **self.attributes(ticket)} for ticket in page]
        return {"data": {"collection": found, "@total_size": len(rows)}}

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return httpx.Response(404, json={"error": {"status": 404, "msg": f"no such issue {number}"}})
        shown = {"id": number, "type": "issue", "attributes": self.attributes(ticket), "@etag": self.etag_of(ticket)}
        return {"data": shown}

    def write(self, request: httpx.Request, number: str) -> Any:
        ticket, given = self.ticket(number), body(request)
        if ticket is None:
            return httpx.Response(404, json={"error": {"status": 404}})
        if given.get("@etag") != self.etag_of(ticket):
            return httpx.Response(412, json={"error": {"status": 412, "msg": "If-Match is missing or does not match."}})
        for message in map(int, given.get("messages", ())):
            if given["@op"] == "remove":
                ticket.comments = [comment for comment in ticket.comments if comment.id != message]
            else:
                ticket.comments.append(self.loose.pop(message))
        self.put(ticket, subject=given.get("title"))
        return {"data": {"id": number, "type": "issue", "attribute": {"messages": given.get("messages")}}}

    def make(self, request: httpx.Request) -> Any:
        given, number = body(request), self.number()
        if given.get("author") != str(BOT):
            return httpx.Response(409, json={"error": {"status": 409, "msg": "no such user None"}})
        self.loose[number] = Comment(number, BOT, given["content"], internal=False, at=self.now())
        return httpx.Response(201, json={"data": {"id": str(number), "link": "..."}})

    def message(self, _request: httpx.Request, number: str) -> Any:
        first = self.tickets.get(int(number) // 10)
        filed = first and Comment(first.id * 10, 7, first.body, internal=False, at=first.created)
        comment = self.comment(number) or self.loose.get(int(number)) or filed
        if comment is None:
            return httpx.Response(404, json={"error": {"status": 404}})
        attributes = {
            "content": comment.text,
            "author": {"id": str(comment.author)},
            "creator": {"id": str(comment.author)},
            "creation": self.stamp(comment.at),
            "date": None,
        }
        return {"data": {"id": number, "type": "msg", "attributes": attributes, "@etag": self.etag(comment.text)}}

    def edit(self, request: httpx.Request, number: str) -> Any:
        comment, given = self.comment(number), body(request)
        if comment is None:
            return httpx.Response(404, json={"error": {"status": 404}})
        if given["@etag"] != self.etag(comment.text):
            return httpx.Response(412, json={"error": {"status": 412}})
        comment.text = given["content"]
        return {"data": {"id": number, "type": "msg", "attribute": {"content": comment.text}}}


class Pagure(Fake):
    """Times are texts with fractions, a comment's answer names none. Source: Pagure 5.14.1, as it runs."""

    url = "https://pagure.example.test"
    api = "/api/0"
    settings: ClassVar[Mapping[str, Any]] = {"project": "plant"}

    def routes(self) -> Sequence[Route]:
        return [
            ("POST", r"/-/whoami", lambda _: {"username": str(BOT)}),
            ("GET", r"/plant/issues", self.list),
            ("GET", r"/plant/issue/(\d+)", lambda _, number: self.of(number, self.shown)),
            ("POST", r"/plant/issue/(\d+)", lambda request, number: self.of(number, self.update, form(request))),
            ("POST", r"/plant/issue/(\d+)/comment", lambda request, number: self.of(number, self.add, form(request))),
        ]

    def writes(self, request: httpx.Request) -> bool:
        return request.method == "POST" and "whoami" not in request.url.path

    def stamp(self, at: datetime | None) -> str | None:
        return f"{at.timestamp():.6f}" if at else None

    def of(self, number: str, answer: Callable[..., Any], *given: Any) -> Any:
        ticket = self.ticket(number)
        missing = httpx.Response(404, json={"error": "Issue not found", "error_code": "ENOISSUE"})
        return missing if ticket is None else answer(ticket, *given)

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "id": ticket.id,
            "title": ticket.subject,
            "content": ticket.body,
            "status": "Closed" if ticket.closed else "Open",
            "tags": ticket.tags,
            "user": {"name": "line3", "fullname": "Line 3"},
            "assignee": None,
            "priority": None,
            "date_created": self.stamp(ticket.created),
            "last_updated": self.stamp(ticket.updated),
            "closed_at": self.stamp(ticket.closed),
            "comments": [
                {
                    "id": comment.id,
                    "comment": comment.text,
                    "date_created": self.stamp(comment.at),
                    "notification": False,
                    "user": {"name": str(comment.author), "fullname": "Sam Reyes"},
                }
                for comment in ticket.comments
            ],
        }

    def list(self, request: httpx.Request) -> Any:
        params = request.url.params
        assert params["status"] == "all"
        rows = self.changed(iso(datetime.fromtimestamp(int(params["since"]), UTC)))
        page = numbered(rows, request)
        following = params.merge({"page": str(int(params.get("page", "1")) + 1)})
        more = int(params.get("page", "1")) * PAGE < len(rows)
        address = f"http://127.0.0.1/api/0/plant/issues?{following}" if more else None
        return {"issues": [self.shown(ticket) for ticket in page], "pagination": {"next": address}}

    def add(self, ticket: Ticket, given: Mapping[str, str]) -> Any:
        self.say(ticket, given["comment"], BOT, internal=False)
        return {"message": "Comment added", "user": str(BOT)}

    def update(self, ticket: Ticket, given: Mapping[str, str]) -> Any:
        self.put(ticket, subject=given["title"], body=given["issue_content"])
        return {"message": "Issue edited"}
