"""Rows in every table that pages read, with the same words in every column that holds somebody else's words."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from agent.domain import Strength, Via
from agent.pages.signing import audit, users
from agent.pages.signing.rights import Rights
from agent.store import comments, search, writings
from agent.store.people import User
from agent.store.tables import Account, Comment, Decision, Inbox, Review, Ticket, Training, utcnow
from agent.store.writings import Writing

HOSTILE = (
    '"><script>alert(1)</script><img src=x onerror=alert(2)></title></textarea></style><svg onload=alert(3)>'
    "<a href='javascript:alert(4)'>'-alert(5)-'{{7*7}}{% raw %}${alert(6)}<style>*{display:none}</style><!--\u202e"
    "<iframe srcdoc='<script>alert(7)</script>'></bdi></td></table></form>\\u003cscript\\u003e&lt;script&gt;\x1b[31m"
)
"""Whatever gets out of its place runs, loads, hides or breaks something."""

HARMLESS = "words"
SHORT = '"><img src=x onerror=alert(8)>'
"""For names of accounts, which are short."""


def plant(session: Session, words: str, name: str) -> None:
    """Store them. The ticket's number is hostile, too."""
    key, near, now = f"desk:{words}", "desk:near", utcnow()
    detail = {
        "probabilities": {words: 0.5, "Network": 0.4, "Electrician": 0.1},
        "hits": [{"rule": words, "role": "Network", "kind": "veto", "phrase": words}],
        "neighbours": [{"ticket": near, "roles": [words], "similarity": 0.9}] * 3,
    }
    session.add(User(key=users.key_of(name), name=name, rights=Rights.REVIEWER, created_at=now))
    for ticket_key, filed_at in ((key, now), (near, now - timedelta(seconds=1))):
        ticket = Ticket(key=ticket_key, subject=words, body=words, group=words, filed_at=filed_at)
        ticket.url = "javascript:alert(9)"
        search.add(session, ticket)
    for place, (ticket_key, outcome) in enumerate([(key, "clear"), (near, "none"), (near, "either_or")]):
        roles, reason = ([words] if outcome != "none" else [], "ruled_out" if outcome == "none" else "")
        session.add(
            Decision(
                ticket_key=ticket_key,
                at=now,
                outcome=outcome,
                roles=roles,
                confidence=0.5,
                reason=reason,
                detail=detail,
                model_version=words,
                rules_version=words,
                event_seq=place,
            )
        )
        event = Inbox(
            source="desk", delivery_id=f"{place}", kind="created", ticket_key=ticket_key, content_hash=f"{place}",
            received_at=now, due_at=now, event="", raw=b"", state="dead", attempts=3, error=words, done_at=now,
        )  # fmt: skip
        session.add(event)
    given = (Strength.CORRECTED, Via.COMMAND, words), (Strength.CONFIRMED, Via.PAGE, name)
    for strength, via, actor in given:
        session.add(Review(ticket_key=key, roles=[words], strength=strength, via=via, origin=via, actor=actor, at=now))
    session.add(Comment(ticket_key=key, marker=words, text=words, shown=words, staff_text=words))
    session.add(Account(source="desk", account_id=words, refused=3))
    session.add(Training(started_at=now, finished_at=now, trigger=words, outcome="failed", reason=words))
    audit.note(session, words, audit.Action.FEEDBACK, now, key, roles=[words])
    parts = [["fix", [[words, 2, words]]]]
    note = Writing(
        ticket_key=key, kind="closure", at=now, outcome="fixed", parts=parts, writer="x", digest=words, shown=True
    )
    note.verdict, note.judged_by, note.judged_at, note.said = "edited", words, now, f"{words} {words}"
    session.add(note)
    for kind in writings.OFFERED:
        told = [[kind, [[words, 1, None]]], ["original", [[words, 1, None]]]]
        named = Writing(ticket_key=key, kind=kind, at=now, outcome="", parts=told, writer="x", digest="", shown=True)
        named.verdict, named.judged_by = "accepted", words
        session.add(named)
    comments.pause(session, words)
