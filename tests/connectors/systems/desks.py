"""Freshdesk, Freshservice, Zammad, Zendesk, Znuny and MaintainX in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import httpx

from tests.connectors.systems.fake import BOT, PAGE, Comment, Fake, Route, Ticket, body, iso, numbered


class Freshdesk(Fake):
    """Texts are HTML; a note on a ticket that is not there is 400. Source: developers.freshdesk.com/api."""

    api = "/api/v2"

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", r"/agents/me", lambda _: {"id": BOT, "contact": {"email": "rolecall@example.test"}}),
            ("GET", r"/tickets", self.list),
            ("GET", r"/tickets/(\d+)", self.read),
            ("GET", r"/tickets/(\d+)/conversations", self.conversations),
            ("POST", r"/tickets/(\d+)/notes", self.write),
            ("PUT", r"/conversations/(\d+)", self.edit),
            ("PUT", r"/tickets/(\d+)", self.update),
            ("DELETE", r"/conversations/(\d+)", self.remove),
        ]

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "id": ticket.id,
            "subject": ticket.subject,
            "description": f"<div>{ticket.body}</div>",
            "status": 5 if ticket.closed else 2,
            "priority": 1,
            "group_id": int(ticket.group),
            "requester_id": 7,
            "responder_id": None,
            "tags": ticket.tags,
            "created_at": iso(ticket.created),
            "updated_at": iso(ticket.updated),
            "stats": {"closed_at": iso(ticket.closed), "resolved_at": None},
        }

    def said(self, comment: Comment) -> dict[str, Any]:
        return {
            "id": comment.id,
            "user_id": comment.author,
            "body": comment.text,
            "private": comment.internal,
            "created_at": iso(comment.at),
        }

    def list(self, request: httpx.Request) -> Any:
        return [self.shown(ticket) for ticket in numbered(self.changed(request.url.params["updated_since"]), request)]

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return self.shown(ticket) if ticket else httpx.Response(404)

    def conversations(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return numbered([self.said(c) for c in ticket.comments], request) if ticket else httpx.Response(404)

    def write(self, request: httpx.Request, number: str) -> Any:
        ticket, given = self.ticket(number), body(request)
        if ticket is None:
            fault = {"field": "ticket_id", "message": "There is no ticket", "code": "invalid_value"}
            return httpx.Response(400, json={"description": "Validation failed", "errors": [fault]})
        return httpx.Response(201, json=self.said(self.say(ticket, given["body"], BOT, internal=given["private"])))

    def edit(self, request: httpx.Request, number: str) -> Any:
        comment = self.comment(number)
        if comment is None:
            return httpx.Response(404)
        comment.text = body(request)["body"]
        return self.said(comment)

    def update(self, request: httpx.Request, number: str) -> Any:
        ticket, given = self.ticket(number), body(request)
        if ticket is None:
            return httpx.Response(404)
        if not isinstance(given.get("group_id", 0), int):
            return httpx.Response(400, json={"errors": [{"field": "group_id", "code": "datatype_mismatch"}]})
        if "tags" in given:
            ticket.tags = given["tags"]
        self.put(ticket, group=given.get("group_id"), subject=given.get("subject"))
        return self.shown(ticket)


class Freshservice(Freshdesk):
    """Answers are wrapped in the name of what they are, and nothing tells who we are. Source: api.freshservice.com."""

    knows_who_we_are = False

    def list(self, request: httpx.Request) -> Any:
        return {"tickets": super().list(request)}

    def read(self, request: httpx.Request, number: str) -> Any:
        return self.wrapped("ticket", super().read(request, number))

    def conversations(self, request: httpx.Request, number: str) -> Any:
        return self.wrapped("conversations", super().conversations(request, number))

    def write(self, request: httpx.Request, number: str) -> Any:
        ticket, given = self.ticket(number), body(request)
        if ticket is None:
            return httpx.Response(404)
        said = self.said(self.say(ticket, given["body"], BOT, internal=given["private"]))
        return httpx.Response(201, json={"conversation": said})

    def edit(self, request: httpx.Request, number: str) -> Any:
        return self.wrapped("conversation", super().edit(request, number))

    def wrapped(self, name: str, answer: Any) -> Any:
        return answer if isinstance(answer, httpx.Response) else {name: answer}


class Zammad(Fake):
    """The first article is the ticket's text; names in place of ids on request. Source: docs.zammad.org/api."""

    api = "/api/v1"
    groups = ("Pumps & Drives", "2nd Level")

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", r"/users/me", lambda _: {"id": BOT, "login": "rolecall@example.test"}),
            ("GET", r"/tickets/search", self.search),
            ("GET", r"/tickets/(\d+)", self.read),
            ("GET", r"/ticket_articles/by_ticket/(\d+)", self.articles),
            ("POST", r"/ticket_articles", self.write),
            ("PUT", r"/tickets/(\d+)", self.update),
        ]

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "id": ticket.id,
            "title": ticket.subject,
            "group": ticket.group,
            "state": "closed" if ticket.closed else "open",
            "priority": "2 normal",
            "customer_id": 7,
            "owner_id": 1,
            "created_at": iso(ticket.created),
            "updated_at": iso(ticket.updated),
            "close_at": iso(ticket.closed),
            "last_close_at": iso(ticket.closed),
        }

    def said(self, ticket: Ticket, comment: Comment) -> dict[str, Any]:
        return {
            "id": comment.id,
            "ticket_id": ticket.id,
            "created_by_id": comment.author,
            "sender": "Customer" if comment.author == 7 else "Agent",
            "body": comment.text,
            "content_type": "text/html",
            "internal": comment.internal,
            "created_at": iso(comment.at),
        }

    def search(self, request: httpx.Request) -> Any:
        params = request.url.params
        since = params["query"].removeprefix("updated_at:[").removesuffix(" TO *]")
        return [self.shown(ticket) for ticket in numbered(self.changed(since), request)]

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return self.shown(ticket) if ticket else self.gone()

    def articles(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        first = Comment(ticket.id * 10, 7, f"<p>{ticket.body}</p>", internal=False, at=ticket.created)
        return [self.said(ticket, comment) for comment in (first, *ticket.comments)]

    def write(self, request: httpx.Request) -> Any:
        given = body(request)
        ticket = self.ticket(given["ticket_id"])
        if ticket is None:
            return self.gone()
        comment = self.say(ticket, given["body"], BOT, internal=given["internal"])
        return httpx.Response(201, json=self.said(ticket, comment))

    def update(self, request: httpx.Request, number: str) -> Any:
        ticket, given = self.ticket(number), body(request)
        if ticket is None:
            return self.gone()
        self.put(ticket, group=given.get("group"), subject=given.get("title"))
        return self.shown(ticket)


class Zendesk(Fake):
    """OAuth; a comment is part of an update, and its answer names no comment. Source: developer.zendesk.com."""

    tokens = 0
    """Given so far; only the newest is accepted."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/tokens":
            given = body(request)
            if (given["grant_type"], given["client_secret"]) != ("client_credentials", "the-client_secret"):
                return httpx.Response(401, json={"error": "invalid_client"})
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"token-{self.tokens}", "token_type": "bearer"})
        if request.headers.get("authorization") != f"Bearer token-{self.tokens}":
            return httpx.Response(401, json={"error": "invalid_token"})
        return super().__call__(request)

    api = "/api/v2"

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", r"/users/me\.json", lambda _: {"user": {"id": BOT, "name": "Rolecall"}}),
            ("GET", r"/search\.json", self.search),
            ("GET", r"/tickets/(\d+)\.json", self.read),
            ("GET", r"/tickets/(\d+)/comments\.json", self.comments),
            ("PUT", r"/tickets/(\d+)\.json", self.write),
            ("PUT", r"/tickets/(\d+)/tags\.json", self.tag),
        ]

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "id": ticket.id,
            "subject": ticket.subject,
            "description": ticket.body,
            "status": "solved" if ticket.closed else "open",
            "group_id": int(ticket.group),
            "requester_id": 7,
            "assignee_id": None,
            "tags": ticket.tags,
            "priority": "normal",
            "created_at": iso(ticket.created),
            "updated_at": iso(ticket.updated),
        }

    def search(self, request: httpx.Request) -> Any:
        rows = self.changed(request.url.params["query"].removeprefix("type:ticket updated>="))
        return {"results": [self.shown(ticket) for ticket in numbered(rows, request)], "count": len(rows)}

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return {"ticket": self.shown(ticket)} if ticket else self.gone()

    def comments(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        first = Comment(ticket.id * 10, 7, ticket.body, internal=False, at=ticket.created)
        rows = [
            {
                "id": c.id,
                "author_id": c.author,
                "body": c.text,
                "plain_body": c.text,
                "public": not c.internal,
                "created_at": iso(c.at),
            }
            for c in (first, *ticket.comments)
        ]
        start = int(request.url.params.get("page[after]", "0"))
        meta = {"has_more": start + PAGE < len(rows), "after_cursor": str(start + PAGE)}
        return {"comments": rows[start : start + PAGE], "meta": meta}

    def write(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        given = body(request)["ticket"]
        if "comment" in given:
            self.say(ticket, given["comment"]["html_body"], BOT, internal=not given["comment"]["public"])
        else:
            self.put(ticket, group=given.get("group_id"), subject=given.get("subject"))
        return {"ticket": self.shown(ticket), "audit": {"id": self.number()}}

    def tag(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        self.put(ticket, tags=body(request)["tags"])
        return {"tags": ticket.tags}


class MaintainX(Fake):
    """Nothing tells who we are but our own comment. Source: the vendor's OpenAPI document."""

    url = "https://api.getmaintainx.example.test/v1"
    api = "/v1"
    settings: ClassVar[Mapping[str, Any]] = {}
    knows_who_we_are = False

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", r"/workorders", self.list),
            ("GET", r"/workorders/(\d+)", self.read),
            ("GET", r"/workorders/(\d+)/comments", self.comments),
            ("POST", r"/workorders/(\d+)/comments", self.write),
            ("PATCH", r"/workorders/(\d+)", self.update),
        ]

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "id": ticket.id,
            "title": ticket.subject,
            "description": ticket.body,
            "status": "DONE" if ticket.closed else "OPEN",
            "categories": ticket.tags,
            "creatorId": 7,
            "assigneeIds": [],
            "createdAt": iso(ticket.created),
            "updatedAt": iso(ticket.updated),
            "completedAt": iso(ticket.closed),
        }

    def page(self, name: str, rows: Sequence[Any], request: httpx.Request) -> Any:
        start = int(request.url.params.get("cursor", "0"))
        more = start + PAGE < len(rows)
        return {name: rows[start : start + PAGE], "nextCursor": str(start + PAGE) if more else None}

    def list(self, request: httpx.Request) -> Any:
        rows = self.changed(request.url.params["updatedAt[gte]"])
        return self.page("workOrders", [self.shown(ticket) for ticket in rows], request)

    def read(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return {"workOrder": self.shown(ticket)} if ticket else self.gone()

    def comments(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        rows = [
            {"id": c.id, "authorId": c.author, "content": c.text, "createdAt": iso(c.at)}
            for c in (ticket.comments if ticket else ())
        ]
        return self.page("comments", rows, request)

    def write(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        assert request.url.params["skipWebhook"] == "true"
        return httpx.Response(201, json={"id": self.say(ticket, body(request)["content"], BOT, internal=False).id})

    def update(self, request: httpx.Request, number: str) -> Any:
        ticket, given = self.ticket(number), body(request)
        if ticket is None:
            return self.gone()
        ticket.tags = given.get("categories", ticket.tags)
        self.put(ticket, subject=given.get("title"), body=given.get("description"))
        return {"workOrder": self.shown(ticket)}


class Znuny(Fake):
    """Whatever is wrong is answered with status 200, and a search yields ids. Source: Znuny 6.5.15, as it runs."""

    url = "https://desk.example.test/znuny"
    api = "/znuny/nph-genericinterface.pl/Webservice/GenericTicketConnectorREST"
    settings: ClassVar[Mapping[str, Any]] = {"user": "rolecall"}
    knows_who_we_are = False
    groups = ("Pumps & Drives", "Grid")

    def routes(self) -> Sequence[Route]:
        return [
            ("POST", r"/Session", lambda _: {"SessionID": "SNg043S3ZgsFDXzIxtDphgzHksVztiF5"}),
            ("POST", r"/Ticket/Search", self.search),
            ("GET", r"/Ticket/(\d+)", self.read),
            ("GET", r"/Ticket/History/(\d+)", self.history),
            ("PATCH", r"/Ticket/(\d+)", self.update),
        ]

    def writes(self, request: httpx.Request) -> bool:
        return request.method == "PATCH"

    def refused(self, what: str = "TicketGet.AccessDenied") -> Any:
        return {"Error": {"ErrorCode": what, "ErrorMessage": "User does not have access to the ticket!"}}

    def stamp(self, at: Any) -> str:
        return str(at.strftime("%Y-%m-%d %H:%M:%S"))

    def search(self, request: httpx.Request) -> Any:
        assert request.url.params["SessionID"]
        rows = self.changed(body(request)["TicketLastChangeTimeNewerDate"], "%Y-%m-%d %H:%M:%S")
        return {"TicketID": [str(ticket.id) for ticket in rows]} if rows else {}

    def read(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.refused()
        said = [(ticket.id * 1_000, 1, "customer", ticket.body, 1, ticket.created)]
        said += [(c.id, c.author, "agent", c.text, int(not c.internal), c.at) for c in ticket.comments]
        names = ("ArticleID", "CreateBy", "SenderType", "Body", "IsVisibleForCustomer", "CreateTime")
        articles = [dict(zip(names, (*row[:-1], self.stamp(row[-1])), strict=True)) | {"From": "line3"} for row in said]
        shown = {
            "TicketID": ticket.id,
            "Title": ticket.subject,
            "Queue": ticket.group,
            "State": "closed successful" if ticket.closed else "new",
            "StateType": "closed" if ticket.closed else "new",
            "Created": self.stamp(ticket.created),
            "Changed": self.stamp(ticket.updated),
            "CustomerUserID": "line3",
            "OwnerID": 1,
            "Priority": "3 normal",
        }
        return {"Ticket": [shown | ({"Article": articles} if request.url.params.get("AllArticles") == "1" else {})]}

    def history(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.tickets[int(number)]
        rows = [(at, by, "Move", f"%%{after}%%9%%{before}%%8") for at, before, after, by in ticket.moves]
        rows += [(ticket.closed, 14, "StateUpdate", "%%new%%closed successful%%")] if ticket.closed else []
        names = ("CreateTime", "CreateBy", "HistoryType", "Name")
        told = [
            dict(zip(names, (self.stamp(at), *row), strict=True)) for at, *row in sorted(rows, key=lambda row: row[0])
        ]
        return {"TicketHistory": [{"History": told, "TicketID": number}]}

    def update(self, request: httpx.Request, number: str) -> Any:
        ticket, given = self.ticket(number), body(request)
        if ticket is None:
            return self.refused("TicketUpdate.AccessDenied")
        changes, article = given.get("Ticket", {}), given.get("Article")
        if changes:
            self.put(ticket, group=changes.get("Queue"), subject=changes.get("Title"))
        if article is None:
            return {"TicketID": number}
        stored = self.say(ticket, article["Body"], BOT, internal=not article["IsVisibleForCustomer"])
        return {"ArticleID": stored.id, "TicketID": number}
