"""The part of django-helpdesk's API that the ways need: tickets that are read, comments that are posted and edited."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

AGENT, STAFF = 2, 3  # user ids
QUEUE, QUEUE_SLUG = 1, "WO"
OPEN = 1


class WaysDesk:
    """Listens on a free loopback port; `on_write` is called when a comment or an edit arrives, before the answer."""

    def __init__(self, on_write: Callable[[], None]) -> None:
        self.tickets: dict[int, dict[str, Any]] = {}
        self._follow_ups = 0
        desk = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                words = self.path.partition("?")[0].strip("/").split("/")
                if len(words) == 3:
                    self.answer(200, desk.tickets[int(words[2])])
                else:
                    tickets = list(desk.tickets.values())
                    rows = tickets if words[1] == "tickets" else [row for t in tickets for row in t["followup_set"]]
                    self.answer(200, {"count": len(rows), "next": None, "previous": None, "results": rows})

            def do_POST(self) -> None:
                on_write()
                body = self.body()
                self.answer(201, desk.write(body["ticket"], AGENT, body["comment"], public=body["public"]))

            def do_PATCH(self) -> None:
                on_write()
                number = int(self.path.strip("/").split("/")[2])
                rows = (row for ticket in desk.tickets.values() for row in ticket["followup_set"])
                (row,) = (row for row in rows if row["id"] == number)
                row.update(self.body())
                self.answer(200, row)

            def body(self) -> dict[str, Any]:
                found: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                return found

            def answer(self, status: int, value: object) -> None:
                content = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def file(self, title: str, description: str) -> dict[str, Any]:
        """File a ticket and return the body of its webhook."""
        number = len(self.tickets) + 1
        self.tickets[number] = {
            "id": number, "queue": QUEUE, "title": title, "description": description, "resolution": None,
            "submitter_email": "customer@example.test", "assigned_to": None, "status": OPEN, "on_hold": False,
            "priority": 3, "due_date": None, "merged_to": None, "followup_set": [],
        }  # fmt: skip
        self.write(number, STAFF, description, public=True)
        return {"ticket": self.tickets[number], "queue_slug": QUEUE_SLUG}

    def reply(self, number: int, text: str) -> dict[str, Any]:
        """Write a reply of staff to staff and return the body of its webhook."""
        row = self.write(number, STAFF, text, public=False)
        return {"ticket": self.tickets[number], "queue_slug": QUEUE_SLUG, "followup_id": row["id"]}

    def write(self, number: int, user: int, text: str, *, public: bool) -> dict[str, Any]:
        """Keep what somebody wrote on a ticket."""
        self._follow_ups += 1
        row = {
            "id": self._follow_ups, "ticket": number, "user": user, "title": "Comment", "comment": text,
            "public": public, "new_status": None, "time_spent": None, "followupattachment_set": [],
            "date": datetime.now(UTC).isoformat(), "message_id": None, "email_recipients": [],
        }  # fmt: skip
        self.tickets[number]["followup_set"].append(row)
        return row

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
