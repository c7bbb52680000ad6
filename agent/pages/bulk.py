"""Confirm several tickets at once, with care: those that were closed in the role that had clearly been suggested.

What is confirmed so counts like a closure and no more, since nobody has read as closely as on *Review*. Random checks
are never among them. One click takes a whole batch back.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from functools import partial

from sqlmodel import Session, col, select
from starlette.responses import Response

from agent.domain import Outcome, RoleCatalogue, Strength, Via
from agent.feedback import reviews
from agent.pages.guard import Refused, Visit, redirect
from agent.pages.queue import Asked, Order, queue, why
from agent.pages.signing import audit
from agent.pages.site import Site
from agent.pages.standing import of_tickets
from agent.store.limits import among_latest
from agent.store.tables import Review

MOST = 25
LOOKED_AT = 1_000
"""Latest reviews among which a batch is looked for: later it is taken back one by one."""

BATCH = "bulk-"


async def show(visit: Visit) -> Response:
    """Show what can be confirmed at once, and the batch that was confirmed last, to take it back."""
    site, batch = visit.site, visit.request.query_params.get("done", "")
    found, done = await visit.read(_read, site.classifier.catalogue, batch, visit.who.name)
    return visit.page("bulk.html", current="review", found=found, done=len(done), batch=batch, most=MOST)


async def answer(visit: Visit) -> Response:
    """Confirm the tickets that are ticked, or take a batch back."""
    site, batch = visit.site, visit.field("batch")
    if visit.field("do") == "undo":
        _, rows = await visit.read(_read, site.classifier.catalogue, batch, visit.who.name)
        if not rows:
            raise Refused(409, "nothing_to_undo")
        await site.database.write(_take_back, visit, rows)
        await asyncio.to_thread(site.classifier.memory.refresh)
        return redirect("/review/bulk")
    if visit.field("do") != "confirm":
        raise Refused(400, "malformed")
    keys = list(dict.fromkeys(visit.form.get("ticket", [])))[:MOST]
    found = await visit.read(_of, keys, site.classifier.catalogue)
    if not found:
        raise Refused(409, "nothing_ticked")
    batch = secrets.token_hex(8)
    for one in found:
        review = _review(site, one, batch, visit.who.name)
        await reviews.record(review, site.database, site.classifier.memory, site.metrics, partial(_keep, visit=visit))
    return redirect(f"/review/bulk?done={batch}")


def fit(asked: Asked | None, catalogue: RoleCatalogue) -> bool:
    """Return whether a ticket was closed in the role that was clearly suggested, and nobody drew or disputed it."""
    if asked is None or asked.order is not Order.CLOSED or asked.standing.ticket.drawn:
        return False
    clear = asked.standing.outcome == Outcome.CLEAR and asked.standing.anonymous is None
    return clear and set(asked.shown) == set(asked.standing.suggested(catalogue))


def _read(session: Session, catalogue: RoleCatalogue, batch: str, who: str) -> tuple[list[Asked], list[Review]]:
    """Return what can be confirmed, a role's tickets together, and what stands of a person's batch."""
    found = [one for one in queue(session, catalogue) if fit(one, catalogue)][:MOST]
    lately = select(Review).where(among_latest(session)).order_by(col(Review.id).desc()).limit(LOOKED_AT)
    latest = session.exec(lately).all() if batch else ()
    mine = [row for row in latest if row.actor == who and row.withdrawn is None]
    done = [row for row in mine if row.origin.startswith(f"{BATCH}{batch}-") and row.via == Via.PAGE]
    return sorted(found, key=lambda one: one.shown), done


def _of(session: Session, keys: Sequence[str], catalogue: RoleCatalogue) -> list[Asked]:
    asked = [why(standing, catalogue) for standing in of_tickets(session, keys)]
    return [one for one in asked if one is not None and fit(one, catalogue)]


def _review(site: Site, one: Asked, batch: str, who: str) -> Review:
    return Review(
        ticket_key=one.standing.ticket.key,
        roles=list(one.shown),
        strength=Strength.CLOSED,
        via=Via.PAGE,
        origin=f"{BATCH}{batch}-{secrets.token_hex(8)}",
        actor=who,
        at=site.now(),
    )


def _keep(session: Session, review: Review, *, visit: Visit) -> bool:
    if not reviews.by_our_clock(session, review):
        return False
    audit.note(session, visit.who.name, audit.Action.BULK, review.at, review.ticket_key, roles=review.roles)
    return True


def _take_back(session: Session, visit: Visit, rows: Sequence[Review]) -> None:
    for row in rows:
        undo = reviews.undo(
            row.ticket_key, origin=f"page-{secrets.token_hex(16)}", actor=visit.who.name, at=visit.site.now()
        )
        row.withdrawn = undo.withdrawn = undo.origin
        session.merge(row)
        session.add(undo)
        audit.note(session, visit.who.name, audit.Action.UNDO, undo.at, row.ticket_key)
