"""What people do in the helpdesk, all of it over its API: file tickets, read comments, move, reply, close."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

REOPENED, RESOLVED = 2, 3
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Comment:
    """A follow-up as the helpdesk shows it."""

    id: int
    author: int | None
    text: str
    public: bool


class Staff:
    """One member of staff, by token."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Token {token}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def file(self, queue: int, title: str, description: str) -> int:
        """File a ticket and return its number."""
        ticket = {"queue": queue, "title": title, "description": description, "priority": 3}
        return int(self._post("/api/tickets/", ticket)["id"])

    def comments(self, ticket: int) -> list[Comment]:
        """Return everything that was written on the ticket, oldest first."""
        answer = self._http.get(f"/api/tickets/{ticket}/").raise_for_status().json()
        rows = sorted(answer["followup_set"], key=lambda row: int(row["id"]))
        return [Comment(row["id"], row["user"], row["comment"] or "", row["public"]) for row in rows]

    def reply(self, ticket: int, text: str) -> None:
        """Write a note that only staff see."""
        self._post("/api/followups/", {"ticket": ticket, "comment": text, "public": False})

    def move(self, ticket: int, queue: int) -> None:
        """Put the ticket into another queue."""
        self._http.patch(f"/api/tickets/{ticket}/", json={"queue": queue}).raise_for_status()

    def close(self, ticket: int, text: str) -> None:
        """Resolve the ticket."""
        closing = {"ticket": ticket, "comment": text, "public": True, "new_status": RESOLVED}
        self._post("/api/followups/", closing)

    def reopen(self, ticket: int, text: str) -> None:
        """Open a resolved ticket again."""
        self._post("/api/followups/", {"ticket": ticket, "comment": text, "public": True, "new_status": REOPENED})

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._http.post(path, json=body).raise_for_status().json()
        return answer
