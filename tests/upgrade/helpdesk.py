"""What stands in for a django-helpdesk 2.6: the API that the connector uses, on tickets kept as one JSON file."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from tests.stubs.server import Asked, Reply, serving

TOKEN = "token-of-the-invented-desk"
AGENT, TECH = 2, 3
HELP_QUEUE = 1
QUEUES = {HELP_QUEUE: "HELP", 2: "NET", 3: "HW", 4: "ACC"}
OPEN, CLOSED = 1, 4

Row: TypeAlias = dict[str, Any]


@dataclass
class Helpdesk:
    """Tickets with their follow-ups, as `/api/tickets/` shows them. `down` answers 503, `mute` tickets take nothing.

    Requests are answered by other threads while the test files tickets: they walk through copies.
    """

    tickets: dict[int, Row] = field(default_factory=dict)
    down: bool = False
    mute: frozenset[int] = frozenset()
    _changing: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def load(cls, file: Path) -> Helpdesk:
        return cls({row["id"]: row for row in json.loads(file.read_text("utf-8"))})

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(list(self.tickets.values()), indent=1, ensure_ascii=False) + "\n", "utf-8")

    def file(self, title: str, description: str) -> Row:
        """File a ticket and return the body of its webhook."""
        number = max(self.tickets, default=0) + 1
        self.tickets[number] = {
            "id": number,
            "queue": HELP_QUEUE,
            "title": title,
            "description": description,
            "resolution": None,
            "submitter_email": "customer@example.test",
            "assigned_to": None,
            "status": OPEN,
            "on_hold": False,
            "priority": 3,
            "due_date": None,
            "merged_to": None,
            "followup_set": [],
        }
        self._follow_up(number, TECH, description, public=True, title="Ticket Opened")
        return self._webhook(number)

    def reply(self, number: int, text: str) -> Row:
        """Add a note that only staff see, and return the body of its webhook."""
        return self._webhook(number, self._follow_up(number, TECH, text))

    def close(self, number: int, queue: int) -> Row:
        """Close a ticket in a queue, and return the body of the webhook."""
        self.tickets[number] |= {"queue": queue, "status": CLOSED}
        return self._webhook(number, self._follow_up(number, TECH, "Done.", public=True, new_status=CLOSED))

    def comments(self, number: int) -> list[Row]:
        """Return Rolecall's comments on a ticket."""
        return [row for row in self.tickets[number]["followup_set"] if row["user"] == AGENT]

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve the API on a free port of 127.0.0.1 and yield the address."""
        with serving(self._answer) as address:
            yield address

    def _webhook(self, number: int, followup: Row | None = None) -> Row:
        ticket = self.tickets[number]
        body = {"ticket": ticket, "queue_slug": QUEUES[ticket["queue"]]}
        return body | ({"followup_id": followup["id"]} if followup else {})

    def _follow_up(self, number: int, user: int, text: str, *, public: bool = False, **more: Any) -> Row:
        with self._changing:
            row = {
                "id": len(self._follow_ups()) + 1,
                "ticket": number,
                "user": user,
                "title": self.tickets[number]["title"],
                "comment": text,
                "public": public,
                "new_status": None,
                "time_spent": None,
                "followupattachment_set": [],
                "date": f"{datetime.now(UTC).replace(tzinfo=None).isoformat()}Z",
                "message_id": None,
                "email_recipients": [],
                **more,
            }
            self.tickets[number]["followup_set"].append(row)
            return row

    def _follow_ups(self) -> list[Row]:
        rows = [row for ticket in list(self.tickets.values()) for row in ticket["followup_set"]]
        return sorted(rows, key=lambda row: row["id"])

    def _answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Token {TOKEN}":
            return Reply(401)
        if self.down:
            return Reply(503)
        body = json.loads(asked.body) if asked.body else {}
        kind, number = re.fullmatch(r"/api/(tickets|followups)/(?:(\d+)/)?", asked.path).groups()  # type: ignore[union-attr]
        if asked.method == "POST":
            return self._post(body)
        if asked.method == "PATCH":
            row = next(row for row in self._follow_ups() if row["id"] == int(number))
            row |= body
            return Reply(200, row)
        wanted = asked.query.get("status", "").split(",")
        shown = [t for t in list(self.tickets.values()) if wanted == [""] or str(t["status"]) in wanted]
        if number:
            return next((Reply(200, ticket) for ticket in shown if ticket["id"] == int(number)), Reply(404))
        return _page(shown if kind == "tickets" else self._follow_ups(), asked)

    def _post(self, body: Row) -> Reply:
        number = int(body["ticket"])
        if number in self.mute:
            return Reply(403)
        return Reply(201, self._follow_up(number, AGENT, body["comment"], public=body["public"]))


def _page(rows: Sequence[Row], asked: Asked) -> Reply:
    size = int(asked.query["page_size"])
    pages = max(1, -(-len(rows) // size))
    page = pages if asked.query["page"] == "last" else int(asked.query["page"])
    if page > pages:
        return Reply(404)
    return Reply(200, {"count": len(rows), "results": rows[(page - 1) * size : page * size]})
