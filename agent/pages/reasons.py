"""Why nothing was suggested, or not posted, in one sentence of the pages."""

from __future__ import annotations

from markupsafe import Markup

from agent.domain import Outcome, Reason, Via, source_of
from agent.pages.site import Site
from agent.pages.standing import Standing
from agent.store.tables import Inbox
from heuristics import Kind

DELAYED = "head_start_minutes"


def reason(site: Site, standing: Standing) -> Markup | None:
    """Return why there is no suggestion on a ticket, or why it is not posted; None where it is there."""
    decision = standing.decision
    if decision is None:
        return _undecided(site, standing)
    if decision.outcome == Outcome.NONE:
        return _none(site, standing)
    return _unposted(site, standing)


def _undecided(site: Site, standing: Standing) -> Markup:
    event, texts = standing.open_event, site.texts
    if standing.dead_event is not None:
        return _set_aside(site, standing.dead_event)
    if event is None:
        return _never_looked_at(site, standing)
    if DELAYED in (event.error or ""):
        return texts("reason.head_start", time=site.words.time(event.due_at))
    if event.error:
        return texts("reason.unreachable", time=site.words.time(event.due_at), error=site.words.recorded(event.error))
    return texts("reason.in_turn")


def _never_looked_at(site: Site, standing: Standing) -> Markup:
    """Return where a ticket came from that no event brought: its helpdesk's past, or somebody's file."""
    known = standing.review
    if known is None or known.via == Via.IMPORT:
        return site.texts("reason.imported")
    if known.via != Via.CLOSURE:
        return site.texts("reason.none")
    roles = site.words.roles(site.classifier.catalogue.today(known.roles))
    source = site.words.others(source_of(standing.ticket.key))
    return site.texts("reason.past", source=source, roles=roles)


def _none(site: Site, standing: Standing) -> Markup:
    decision = standing.decision
    assert decision is not None  # noqa: S101 - the caller has seen to it
    best, share = next(iter(standing.ranked(site.classifier.catalogue)), ("", 0.0))
    barring = sorted({hit["rule"] for hit in decision.detail.get("hits", ()) if hit["kind"] == Kind.VETO})
    match decision.reason:
        case Reason.UNSURE if best:
            return site.texts("reason.unsure", best=best, confidence=site.words.percent(share))
        case Reason.RULED_OUT:
            return site.texts("reason.ruled_out", rules=", ".join(barring))
    key = f"reason.{decision.reason}"
    return site.texts(key) if site.texts.has(key) and decision.reason != Reason.UNSURE else site.texts("reason.none")


def _unposted(site: Site, standing: Standing) -> Markup | None:
    comment, texts = standing.comment, site.texts
    if comment is not None and comment.removed_at is not None:
        return texts("reason.removed")
    if comment is not None and comment.withheld is not None:
        return texts(f"reason.{comment.withheld}")
    if comment is not None and comment.remote_id is not None:
        return None
    if standing.dead_event is not None:
        return _set_aside(site, standing.dead_event)
    if standing.open_event is not None:
        return texts("reason.in_turn")
    return texts("reason.shadow") if site.settings.triage.shadow else texts("reason.unposted")


def _set_aside(site: Site, event: Inbox) -> Markup:
    return site.texts("reason.set_aside", tries=event.attempts, error=site.words.recorded(event.error))
