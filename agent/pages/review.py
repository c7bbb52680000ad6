"""Review: one ticket after another, a key or a button a role, with undo."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlencode

from sqlmodel import Session, col, select
from starlette.responses import Response

from agent.domain import Role, Strength
from agent.pages import feedback
from agent.pages.bulk import MOST, fit
from agent.pages.guard import Refused, Visit, redirect
from agent.pages.queue import Asked, Order, after, queue
from agent.pages.site import Site
from agent.pages.standing import ON_PAGES, Standing, of_ticket, of_tickets
from agent.pages.today import FEW_ROLES, offered_first
from agent.store import tickets
from agent.store.limits import among_latest
from agent.store.tables import Review
from agent.text.reading import read

LOOKED_AT, LAST_SHOWN = 200, 3


async def review(visit: Visit) -> Response:
    """Show the next ticket of the queue, or of one of its orders."""
    asked = visit.request.query_params
    order = asked.get("order", "") if asked.get("order", "") in tuple(Order) else ""
    skipped = asked.get("after", "")
    site = visit.site
    waiting, mine = await visit.read(_read, site, visit.who.name)
    left = after(waiting, order, skipped)
    counts = Counter(one.order for one in waiting)
    filters = [("", len(waiting), _path("", ""))] + [(name, counts[name], _path(name, "")) for name in Order]
    shared = {
        "current": "review",
        "filters": filters,
        "order": order,
        "skipped": skipped,
        "count": len(left),
        "bulk": min(sum(fit(one, site.classifier.catalogue) for one in waiting), MOST),
        "mine": mine,
        "catalogue": site.classifier.catalogue,
    }
    if not left:
        return visit.page("review_done.html", **shared)
    one = left[0]
    blind, decision = one.standing.blind, one.standing.decision
    ranked = [] if blind else one.standing.ranked(site.classifier.catalogue)
    near = decision.detail.get("neighbours", ()) if decision and not blind else ()
    similar = await visit.read(tickets.subjects, [each["ticket"] for each in near])
    return visit.page(
        "review.html",
        one=one,
        read=read(one.standing.ticket.subject, one.standing.ticket.body),
        first=offered_first(site.classifier.catalogue.names, ranked),
        shares=dict(ranked),
        everyone=_everyone(site),
        near=near,
        similar=similar,
        **shared,
    )


async def answer(visit: Visit) -> Response:
    """Record what a reviewer says, and go on to the next ticket."""
    site, order, skipped, key = visit.site, visit.field("order"), visit.field("after"), visit.field("ticket")
    standing = await visit.read(of_ticket, key)
    if standing is None:
        raise Refused(404, "no_ticket")
    if visit.field("skip"):
        return redirect(_path(order, key))
    try:
        if visit.field("undo"):
            await feedback.take_back(visit, standing)
        elif visit.field("unclear"):
            await feedback.cannot_tell(visit, standing)
        else:
            await feedback.give(visit, standing, feedback.chosen(visit, standing))
    except feedback.Overtaken as overtaken:
        path = site.words.ticket(key)
        return visit.page("overtaken.html", 409, standing=standing, answer=overtaken.answer, path=path)
    return redirect(_path(order, skipped))


def _read(session: Session, site: Site, name: str) -> tuple[list[Asked], list[Standing]]:
    """Return the queue, and the tickets that this person answered last."""
    lately = select(Review).where(among_latest(session)).order_by(col(Review.id).desc())
    latest = session.exec(lately.limit(LOOKED_AT)).all()
    own = [row for row in latest if row.via in ON_PAGES and row.actor == name and row.withdrawn is None]
    keys = list(dict.fromkeys(row.ticket_key for row in own if row.strength >= Strength.CONFIRMED))[:LAST_SHOWN]
    return queue(session, site.classifier.catalogue), of_tickets(session, keys)


def _everyone(site: Site) -> list[tuple[Role, str]]:
    """Return all roles with the words by which they are found, where there are too many for digits."""
    roles = site.classifier.catalogue.roles
    if len(roles) <= FEW_ROLES:
        return []
    return [(role, " ".join((role.name, *role.aliases)).lower()) for role in roles]


def _path(order: str, skipped: str) -> str:
    asked = {name: value for name, value in (("order", order), ("after", skipped)) if value}
    return f"/review?{urlencode(asked)}" if asked else "/review"
