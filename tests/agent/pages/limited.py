"""Two tickets side by side in every table: one that is in the group net now, and one that is not."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from agent.core import Parts
from agent.domain import Strength, Via
from agent.pages.signing import users
from agent.store import search
from agent.store.tables import Comment, Decision, Inbox, Review, Ticket, utcnow
from agent.store.writings import Writing
from agent.triage.evidence import Neighbour
from agent.triage.opinion import RoleClassifier

SEEN, HIDDEN, UNKNOWN = "desk:1", "desk:2", "desk:77"
WALRUS, OKAPI = "walrus", "okapi"
"""A word of the ticket that is seen, and one of the ticket that is not."""


def plant(session: Session) -> None:
    """Store them: filed in the other's group each, and moved since. Each is random check, set aside and reviewed."""
    now = utcnow()  # once: each is filed in a second of its own
    for place, (key, filed, now_in, word) in enumerate(
        [(SEEN, "hardware", "net", WALRUS), (HIDDEN, "net", "hardware", OKAPI), ("other:3", "hardware", "net", OKAPI)]
    ):
        other = HIDDEN if key == SEEN else SEEN
        at = now - timedelta(seconds=place)
        ticket = Ticket(key=key, subject=f"{word} lamp", body=f"The {word} lamp flickers", group=filed, filed_at=at)
        ticket.seen = {"group": now_in, "text": "x"}
        search.add(session, ticket)
        drawn = Ticket(key=f"{key}9", subject=f"{word} drawn", body=word, group=filed, filed_at=at, drawn=True)
        drawn.seen = ticket.seen
        search.add(session, drawn)
        near = [{"ticket": other, "roles": ["Network"], "similarity": 0.9}]
        for each in (ticket, drawn):
            session.add(
                Decision(ticket_key=each.key, at=at, outcome="clear", roles=["Network"], confidence=0.9, reason="",
                         detail={"neighbours": near, "probabilities": {"Network": 0.9}}, rules_version="1")
            )  # fmt: skip
        session.add(
            Review(ticket_key=key, roles=["Electrician"], strength=Strength.CLOSED, via=Via.CLOSURE, origin="x", at=at)
        )
        session.add(Comment(ticket_key=key, marker=key, text=f"like the {OKAPI}", remote_id="1"))
        session.add(
            Inbox(source="desk", delivery_id=key, kind="created", ticket_key=key, content_hash=key, received_at=at,
                  due_at=at, event="", raw=b"", state="dead", attempts=9, error=f"no {word}", done_at=at)
        )  # fmt: skip
        parts = [["fix", [[f"The {word} fuse", 1, None]]]]
        session.add(
            Writing(
                ticket_key=key, kind="closure", at=at, outcome="fixed", parts=parts, writer="x", digest="d", shown=True
            )
        )


def limit(parts: Parts, name: str, helpdesks: tuple[str, ...] = ("desk",), groups: tuple[str, ...] = ("net",)) -> None:
    """Let an account see the tickets of the helpdesk desk that are in the group net."""
    parts.database.call(users.limit, name, helpdesks, groups, "tests", utcnow())


def similar(monkeypatch: Any) -> None:
    """Let both tickets be similar to whatever is asked about."""
    opinion: Any = RoleClassifier.opinion
    near = tuple(Neighbour(key, 0.9, ("Network",)) for key in (HIDDEN, SEEN))

    def with_similar(*given: Any, **more: Any) -> Any:
        return dataclasses.replace(opinion(*given, **more), neighbours=near)

    monkeypatch.setattr(RoleClassifier, "opinion", with_similar)
