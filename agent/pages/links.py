"""What a link in a comment opens: a page that says what one is about to say, with one button; looking changes nothing.

Whoever is signed in answers as on every page. Of others the answer is kept and shown, and never counts, unless
`[server] links` trusts whoever holds a link.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial

from sqlmodel import Session
from starlette.responses import Response

from agent.domain import Via
from agent.feedback import reviews
from agent.notes.links import OTHER, NoGood, opened
from agent.pages.feedback import BY_LINK, Overtaken, chosen, give
from agent.pages.guard import Visit
from agent.pages.signing import audit
from agent.pages.standing import ANONYMOUS, Standing, of_ticket
from agent.store import links, tickets
from agent.store.people import FeedbackLink
from agent.store.tables import Review


class Over(Exception):
    """A link that leads nowhere any more; `why` names the sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


async def show(visit: Visit) -> Response:
    """Show what the link would say, or why it says nothing any more."""
    try:
        standing, link = await _opened(visit)
    except Over as over:
        return visit.page("by_link.html", 410, state="over", why=over.why)
    if standing.answer is not None or (standing.anonymous is not None and not visit.may("reviewer")):
        return _answered(visit, standing)
    roles = _offered(visit, link, str(visit.request.path_params["choice"]))
    return _page(visit, standing, "ask" if roles else "choose", roles=roles or ())


async def record(visit: Visit) -> Response:
    """Record what the button says."""
    try:
        standing, _ = await _opened(visit)
    except Over as over:
        return visit.page("by_link.html", 410, state="over", why=over.why)
    signed = visit.may("reviewer")
    if standing.answer is not None or (standing.anonymous is not None and not signed):
        return _answered(visit, standing, 409)
    roles = chosen(visit, standing)
    counts = signed or visit.site.settings.server.links == "trusted"
    try:
        if counts:
            await give(visit, standing, roles, by_link=True)
        else:
            await visit.site.database.write(partial(_keep, standing=standing, roles=roles, visit=visit))
    except Overtaken:
        return _answered(visit, await _again(visit, standing), 409)
    return _page(visit, standing, "done", roles=roles, counts=counts)


async def _opened(visit: Visit) -> tuple[Standing, FeedbackLink]:
    """Return where the link's ticket stands, and what the link offers. Raises Over."""
    token = str(visit.request.path_params["token"])
    try:
        key = opened(visit.site.key, token)
    except NoGood as error:
        raise Over(error.why) from None
    standing, link = await visit.read(_read, key, token)
    if standing is None or link is None:
        raise Over("changed")
    return standing, link


def _read(session: Session, key: str, token: str) -> tuple[Standing | None, FeedbackLink | None]:
    return of_ticket(session, key), links.find(session, key, token)


def _offered(visit: Visit, link: FeedbackLink, choice: str) -> tuple[str, ...] | None:
    """Return the roles of a choice by today's names; None for any other answer, or where a role is gone."""
    catalogue = visit.site.classifier.catalogue
    if choice == OTHER or not (choice.isascii() and choice.isdigit() and int(choice[:4]) < len(link.choices)):
        return None
    roles = catalogue.today(link.choices[int(choice[:4])])
    return roles if set(roles) <= set(catalogue.names) else None


def _keep(session: Session, *, standing: Standing, roles: Sequence[str], visit: Visit) -> None:
    """Keep what somebody said who is not signed in: it is withdrawn from the beginning, so that it never counts."""
    site, key = visit.site, standing.ticket.key
    suggested, origin = standing.suggested(site.classifier.catalogue), f"link-{secrets.token_hex(16)}"
    review = reviews.answer(key, roles, suggested, origin=origin, actor=None, at=site.now(), via=Via.LINK)
    review.withdrawn = ANONYMOUS
    tickets.review(session, review)
    audit.note(session, BY_LINK, audit.Action.ANONYMOUS, review.at, key, roles=list(roles))


async def _again(visit: Visit, standing: Standing) -> Standing:
    return await visit.read(of_ticket, standing.ticket.key) or standing


def _answered(visit: Visit, standing: Standing, status: int = 200) -> Response:
    answer: Review | None = standing.answer or standing.anonymous
    assert answer is not None  # noqa: S101 - the caller has seen it
    roles = visit.site.classifier.catalogue.today(answer.roles)
    return _page(visit, standing, "answered", status, roles=roles, answer=answer, counts=standing.answer is not None)


def _page(visit: Visit, standing: Standing, state: str, status: int = 200, **more: object) -> Response:
    token = str(visit.request.path_params["token"])
    shown = {"counts": False, "answer": None, "trusted": visit.site.settings.server.links == "trusted", **more}
    catalogue = visit.site.classifier.catalogue
    return visit.page(
        "by_link.html", status, state=state, standing=standing, path=f"/l/{token}", catalogue=catalogue, **shown
    )
