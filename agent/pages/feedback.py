"""What people answer on pages: recorded by the function that records commands, and shown in the comment like one.

The review, its line in the log and the event that brings the comment up to date are stored together, or not at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial

from sqlmodel import Session
from starlette.responses import Response

from agent.domain import Strength, Via, source_of, ticket_key
from agent.feedback import reviews
from agent.pages.guard import Refused, Visit
from agent.pages.signing import audit
from agent.pages.standing import ON_PAGES, Standing, of_ticket
from agent.store import withdrawals
from agent.store.tables import Review
from agent.store.verdicts import tell

BY_LINK = "by a link"
"""Who did it, in the log, where nobody was signed in."""


class Overtaken(Exception):
    """Somebody else has answered since the page was shown."""

    def __init__(self, answer: Review | None) -> None:
        super().__init__()
        self.answer = answer


def chosen(visit: Visit, standing: Standing) -> tuple[str, ...]:
    """Return the roles that a form names: none of ours where it says so. Raises Refused for others than ours."""
    catalogue = visit.site.classifier.catalogue
    if visit.field("none"):
        return ()
    if visit.field("right"):
        named: Sequence[str] = standing.suggested(catalogue)
    else:
        named = visit.form.get("roles", []) if visit.field("several") else visit.form.get("role", [])
    found = [role.name for name in named if (role := catalogue.lookup(name)) is not None]
    if not found or len(found) != len(named):
        raise Refused(400, "no_role")
    return tuple(dict.fromkeys(found))


async def give(visit: Visit, standing: Standing, roles: Sequence[str], by_link: bool = False) -> None:
    """Record what a person said of a ticket's role, unless they said so before. Raises Overtaken.

    Whoever comes by a link may not be signed in, and has seen what was suggested.
    """
    site, key, via = visit.site, standing.ticket.key, Via.LINK if by_link else via_of(standing)
    last, who = standing.answer, visit.user.name if visit.user else None
    mine = last if last and (last.actor, last.via) == (who, via) else None
    if mine is not None and set(site.classifier.catalogue.today(mine.roles)) == set(roles):
        return  # a second click
    review = reviews.answer(
        key,
        roles,
        standing.suggested(site.classifier.catalogue),
        origin=f"page-{secrets.token_hex(16)}",
        actor=who,
        at=site.now(),
        via=via,
    )
    store = partial(_keep, visit=visit, action=audit.Action.FEEDBACK)
    await reviews.record(review, site.database, site.classifier.memory, site.metrics, store)
    site.wake.set()


def via_of(standing: Standing) -> Via:
    """Return how an answer on a page is given: of a random check, as one, since the first was given blind."""
    return Via.CHECK if standing.ticket.drawn and standing.decision is not None else Via.PAGE


async def cannot_tell(visit: Visit, standing: Standing) -> None:
    """Record that a reviewer could not tell: the ticket is not asked about again, and how it was closed is no label."""
    site = visit.site
    review = Review(
        ticket_key=standing.ticket.key,
        roles=[],
        strength=Strength.REOPENED,
        via=via_of(standing),
        origin=f"page-{secrets.token_hex(16)}",
        actor=visit.who.name,
        at=site.now(),
    )
    store = partial(_keep, visit=visit, action=audit.Action.UNCLEAR)
    await reviews.record(review, site.database, site.classifier.memory, site.metrics, store)


async def take_back(visit: Visit, standing: Standing) -> None:
    """Take back the last answer to a ticket: one's own, or, for an operator, anybody's. Raises Refused, Overtaken."""
    site = visit.site
    if standing.answer is None:
        raise Refused(409, "nothing_to_undo")
    if not may_undo(visit, standing):
        raise Refused(403, "not_yours")
    origin = f"page-{secrets.token_hex(16)}"
    undo = reviews.undo(standing.ticket.key, origin=origin, actor=visit.who.name, at=site.now())
    await reviews.withdraw(undo, site.database, site.classifier.memory, partial(_withdraw, visit=visit))
    site.wake.set()


def may_undo(visit: Visit, standing: Standing) -> bool:
    """Return whether this person may take back the last answer."""
    answer = standing.answer
    if answer is None or not visit.may("reviewer"):
        return False
    return visit.may("operator") or (answer.via in ON_PAGES and answer.actor == visit.who.name)


async def answer(visit: Visit) -> Response:
    """Carry out what a form on Today or a ticket's page says, and go back there."""
    standing = await known(visit)
    here = visit.request.url.path
    try:
        if visit.field("undo"):
            await take_back(visit, standing)
        else:
            await give(visit, standing, chosen(visit, standing))
    except Overtaken as overtaken:
        return visit.page("overtaken.html", 409, standing=standing, answer=overtaken.answer, path=here)
    return visit.back(here)


async def known(visit: Visit) -> Standing:
    """Return where the ticket of an address stands. Raises Refused where there is none that this person sees."""
    standing = await visit.read(of_ticket, key_of(visit))
    if standing is None:
        raise Refused(404, "no_ticket")
    return standing


def key_of(visit: Visit) -> str:
    """Return the key of the ticket whose page was called."""
    return ticket_key(str(visit.request.path_params["helpdesk"]), str(visit.request.path_params["number"]))


def _keep(session: Session, review: Review, *, visit: Visit, action: audit.Action) -> bool:
    _not_overtaken(session, review, visit)
    if not reviews.by_our_clock(session, review):
        return False
    audit.note(session, review.actor or BY_LINK, action, review.at, review.ticket_key, roles=review.roles)
    if action is audit.Action.FEEDBACK:
        _tell(session, review, visit)
    return True


def _withdraw(session: Session, undo: Review, *, visit: Visit) -> bool:
    _not_overtaken(session, undo, visit)
    if not withdrawals.withdraw(session, undo):
        return False
    audit.note(session, visit.who.name, audit.Action.UNDO, undo.at, undo.ticket_key)
    _tell(session, undo, visit)
    return True


def _not_overtaken(session: Session, review: Review, visit: Visit) -> None:
    """Raise Overtaken where the last answer is not the one that the page showed, and another person's."""
    last = withdrawals.last_answer(session, review.ticket_key)
    seen = visit.field("seen")
    if last is not None and str(last.id) != seen and (last.actor != review.actor or review.actor is None):
        session.expunge(last)  # it is shown after the transaction was given up
        raise Overtaken(last)


def _tell(session: Session, review: Review, visit: Visit) -> None:
    """Leave the event after which our comment shows it, for a ticket of a helpdesk that is connected."""
    if source_of(review.ticket_key) in visit.site.connectors:
        tell(session, review.ticket_key, review.origin, review.at)
