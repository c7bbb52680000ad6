"""A better subject for a ticket whose own says too little: accepted with one click, and the original restored with one.

The row, its line in the log and the event after which the ticket in its system follows are stored together, or not at
all.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlmodel import Session
from starlette.responses import Response

from agent.domain import source_of
from agent.pages.feedback import key_of, known
from agent.pages.guard import Refused, Visit
from agent.pages.signing import audit
from agent.pages.site import Site
from agent.store import verdicts, writings
from agent.store.actions import Acted
from agent.store.tables import Ticket
from agent.store.writings import RENAMED, Verdict, Writing, WritingKind
from agent.writing.subject import better_subject, says_too_little
from agent.writing.thread import as_written
from connectors.base import Field

KEPT = (Acted.OVERTAKEN, Acted.UNSURE, Acted.REFUSED, Acted.IGNORED, writings.WITHHELD)
"""Outcomes after which the ticket has the subject that it had."""


@dataclass(frozen=True, slots=True)
class Naming:
    """A suggested subject and the ticket's own. `accepted`: the ticket has ours, as far as we know.

    `kept`: why the ticket kept the subject that it had when somebody last asked for the other, "" where it did not.
    """

    better: str
    original: str
    accepted: bool
    who: str
    kept: str = ""


def naming(site: Site, ticket: Ticket, row: Writing | None) -> Naming | None:
    """Return what is suggested, or was accepted, where the ticket's system lets us change its subject."""
    connector = site.connectors.get(source_of(ticket.key))
    if connector is None or Field.SUBJECT not in connector.capabilities.changes:
        return None
    if row is not None:
        ours, original = (next(writings.sentences(row, part)) for part in ("subject", "original"))
        kept = row.outcome if row.outcome in KEPT else ""
        return Naming(ours, original, (row.verdict == Verdict.ACCEPTED) != bool(kept), row.judged_by or "", kept)
    if site.settings.triage.shadow or not says_too_little(ticket.subject):
        return None
    better = better_subject(as_written(ticket.subject, ticket.body))
    return Naming(better, ticket.subject, accepted=False, who="") if better else None


async def answer(visit: Visit) -> Response:
    """Accept a suggested subject, or restore the original one, and go back to the ticket."""
    key, site = key_of(visit), visit.site
    if visit.paused is not None:
        raise Refused(409, "paused")
    await known(visit)
    await site.database.write(_rename, visit, key)
    site.wake.set()
    return visit.back(str(site.words.ticket(key)))


def _rename(session: Session, visit: Visit, key: str) -> None:
    ticket, row, accepts = session.get(Ticket, key), writings.naming(session, key), visit.field("do") == "accept"
    found = naming(visit.site, ticket, row) if ticket is not None else None
    if found is None or found.accepted is accepts or found.better != visit.field("seen"):
        raise Refused(409, "note_changed")
    verdict, now, who = Verdict.ACCEPTED if accepts else Verdict.RESTORED, visit.site.now(), visit.who.name
    parts = [["subject", [[found.better, 1, None]]], ["original", [[found.original, 1, None]]]]
    new = Writing(
        ticket_key=key, kind=WritingKind.SUBJECT, at=now, outcome=verdict, parts=parts, writer="rules", digest="",
        shown=accepts, verdict=verdict, judged_by=who, judged_at=now,
    )  # fmt: skip
    session.merge(new)
    audit.note(session, who, audit.Action.SUBJECT, now, key, verdict=verdict)
    verdicts.tell(session, key, f"{RENAMED}{secrets.token_hex(16)}", now)
