"""Request Tracker in memory: refusals answered 200 and 400, pages filtered after they were cut. Source: RT 5.0.3."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

PAGE = 2
US, TECH, CUSTOMER = "rolecall", "tech", "customer"
QUEUES = {"3": "Work orders", "4": "Network", "9": "Hidden"}
HIDDEN = {"9"}
NOT_SET = "1970-01-01T00:00:00Z"


@dataclass
class Row:
    """A transaction. A hidden one stands in no list, but takes its place in a page."""

    id: int
    type: str
    creator: str
    at: datetime
    text: str = ""
    field: str = ""
    old: str = ""
    new: str = ""
    hidden: bool = False
    file: bool = False


@dataclass
class Ticket:
    id: int
    subject: str
    queue: str = "3"
    status: str = "new"
    closed_at: datetime | None = None
    tags: list[str] = field(default_factory=list)
    merged_into: int | None = None
    rows: list[Row] = field(default_factory=list)


class RequestTracker:
    """One RT. `failures` are answered first; so many writes in `lose_answers` are carried out and answered 500."""

    def __init__(self) -> None:
        self.tickets: dict[int, Ticket] = {}
        self.requests: list[httpx.Request] = []
        self.failures: list[httpx.Response] = []
        self.lose_answers = 0
        self.may_change = True
        self.before_writing: Callable[[Ticket], None] | None = None
        """What somebody does between our look and our write."""
        self.clock = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
        self.last = 50

    # What people do there

    def add(self, ticket: Ticket, kind: str, creator: str = TECH, **values: Any) -> Row:
        self.clock += timedelta(seconds=1)
        self.last += 1
        ticket.rows.append(Row(self.last, kind, creator, self.clock, **values))
        if kind in ("Create", "Comment", "Correspond"):
            self.last += 1
            ticket.rows.append(Row(self.last, "EmailRecord", "RT_System", self.clock, hidden=True))
        return next(row for row in reversed(ticket.rows) if not row.hidden)

    def file(self, subject: str, body: str = "Oil under the pump") -> Ticket:
        ticket = self.tickets[len(self.tickets) + 1] = Ticket(len(self.tickets) + 1, subject)
        self.add(ticket, "Create", CUSTOMER, text=body)
        return ticket

    def status(self, ticket: Ticket, new: str, creator: str = TECH) -> Row:
        row = self.add(ticket, "Status", creator, field="Status", old=ticket.status, new=new)
        ticket.status, ticket.closed_at = new, row.at if new == "resolved" else None
        return row

    def move(self, ticket: Ticket, queue: str, creator: str = TECH) -> Row:
        row = self.add(ticket, "Set", creator, field="Queue", old=ticket.queue, new=queue)
        ticket.queue = queue
        return row

    # What the connector sees of it

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.failures:
            return self.failures.pop(0)
        path = request.url.path.removeprefix("/REST/2.0/").split("/")
        if request.method != "GET" and self.lose_answers:
            self.lose_answers -= 1
            self._answer(request, path)
            return httpx.Response(500)
        return self._answer(request, path)

    def _answer(self, request: httpx.Request, path: list[str]) -> httpx.Response:
        match request.method, path:
            case "GET", ["user", name]:
                names = {US: 1, TECH: 1, CUSTOMER: 0}
                name = US if name == "30" else name
                known = name in names
                return self.json({"Name": name, "Privileged": names[name]}) if known else httpx.Response(404)
            case "GET", ["queues", "all"]:
                return self.page(
                    [{"id": number, "Name": name} for number, name in QUEUES.items() if number not in HIDDEN], request
                )
            case "GET", ["tickets"]:
                return self.search(request)
            case "GET", ["attachment", number]:
                return self.json(next(self.attachment(row, whole=True) for row in self.rows() if row.id == int(number)))
            case method, ["ticket", number, *rest] if ticket := self.tickets.get(int(number)):
                return self.of_ticket(self.tickets[ticket.merged_into or ticket.id], method, rest, request)
            case "POST", ["ticket", _, "comment"]:
                return httpx.Response(400, json={"message": "Permission Denied"})
        return httpx.Response(404, json={"message": "Not Found"})

    def of_ticket(self, ticket: Ticket, method: str, rest: list[str], request: httpx.Request) -> httpx.Response:
        match method, rest:
            case "GET", []:
                return httpx.Response(200, json=self.shown(ticket), headers={"etag": f'"{ticket.rows[-1].id}"'})
            case "GET", ["history"]:
                return self.page([None if row.hidden else self.transaction(row) for row in ticket.rows], request)
            case "GET", ["attachments"]:
                said = [row for row in ticket.rows if row.text]
                listed = [self.attachment(row, file=file) for row in said for file in (False, True) if row.file >= file]
                return self.page([each for row in listed for each in (row, None)], request)
            case "POST", ["comment"]:
                given = json.loads(request.content)
                assert given["ContentType"] == "text/plain"
                row = self.add(ticket, "Comment", US, text=given["Content"])
                return httpx.Response(
                    201, json=["Comments added"], headers={"location": f"/REST/2.0/transaction/{row.id}"}
                )
            case "PUT", []:
                return self.update(ticket, request)
        return httpx.Response(405)

    def update(self, ticket: Ticket, request: httpx.Request) -> httpx.Response:
        if self.before_writing is not None:
            self.before_writing(ticket)
        if request.headers["if-match"] != f'"{ticket.rows[-1].id}"':
            return httpx.Response(412, json={"message": "Precondition Failed"})
        if not self.may_change:
            return self.json([f"Ticket {ticket.id}: Permission Denied"])
        said = []
        for name, value in json.loads(request.content).items():
            if name == "Queue":
                number = next((n for n, queue in QUEUES.items() if queue == value), None)
                if number is None:
                    return self.json([f"Ticket {ticket.id}: Queue {value} does not exist"])
                if number != ticket.queue:
                    self.move(ticket, number, US)
                    said.append("Queue changed")
            elif name == "Subject" and value != ticket.subject:
                self.add(ticket, "Set", US, field="Subject", old=ticket.subject, new=value)
                ticket.subject = value
                said.append("Subject changed")
            elif name == "CustomFields":
                ticket.tags = value["Rolecall"]
        return self.json(said)

    def search(self, request: httpx.Request) -> httpx.Response:
        query = request.url.params["query"]
        since = datetime.fromisoformat(query.split("'")[1])
        if query.startswith("Resolved"):
            last = int(query.rpartition("id > ")[2])
            found = [t for t in self.tickets.values() if t.closed_at and t.closed_at >= since and t.id > last]
        else:
            found = [t for t in self.tickets.values() if t.rows[-1].at >= since]
            found.sort(key=lambda t: t.rows[-1].at)
        listed = [{"id": str(t.id), "type": "ticket", "LastUpdated": stamp(t.rows[-1].at)} for t in found]
        return self.page(listed, request, pages=True)

    def page(self, rows: Sequence[Any], request: httpx.Request, *, pages: bool = False) -> httpx.Response:
        number = int(request.url.params["page"])
        items = [row for row in rows[(number - 1) * PAGE : number * PAGE] if row is not None]
        total = -(-len(rows) // PAGE) if pages else None
        return self.json(
            {"items": items, "count": len(items), "page": number, "pages": total, "total": len(rows) if pages else None}
        )

    def shown(self, ticket: Ticket) -> Mapping[str, Any]:
        return {
            "id": ticket.id,
            "Subject": ticket.subject,
            "Status": ticket.status,
            "Queue": {"id": ticket.queue, "Name": QUEUES[ticket.queue]},
            "Owner": {"id": "Nobody"},
            "Requestor": [{"id": CUSTOMER}],
            "Priority": "0",
            "Created": stamp(ticket.rows[0].at),
            "Resolved": stamp(ticket.closed_at) if ticket.closed_at else NOT_SET,
            "CustomFields": [{"id": "2", "name": "Rolecall", "values": ticket.tags}],
        }

    def transaction(self, row: Row) -> Mapping[str, Any]:
        return {
            "id": str(row.id),
            "Type": row.type,
            "Field": row.field,
            "OldValue": row.old,
            "NewValue": row.new,
            "Creator": {"id": row.creator},
            "Created": stamp(row.at),
        }

    def attachment(self, row: Row, *, whole: bool = False, file: bool = False) -> Mapping[str, Any]:
        text = base64.b64encode(row.text.encode()).decode() if whole else row.text
        kind = {"ContentType": "image/png", "Filename": "a.png"} if file else {"ContentType": "text/plain"}
        return {"id": str(row.id), "TransactionId": str(row.id), **kind, "Content": "AAAA" if file else text}

    def rows(self) -> list[Row]:
        return [row for ticket in self.tickets.values() for row in ticket.rows]

    def json(self, answer: Any) -> httpx.Response:
        return httpx.Response(200, json=answer)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
