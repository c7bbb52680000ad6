"""A ticket: what came in, what was left out of it, what speaks for each role, and all that happened."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from markupsafe import Markup
from sqlmodel import Session, col, select
from starlette.responses import Response

from agent.domain import Outcome, Via, source_of, ticket_key
from agent.pages.feedback import key_of, may_undo
from agent.pages.guard import Visit
from agent.pages.offers import offer
from agent.pages.reasons import reason
from agent.pages.site import Site
from agent.pages.standing import ANONYMOUS, NOTHING_SPOKE, ON_PAGES, Standing, of_ticket
from agent.pages.today import FEW_ROLES, offered_first
from agent.pages.written import card
from agent.store import tickets, writings
from agent.store.actions import Acted
from agent.store.tables import Action, Decision, Inbox, Review
from agent.store.writings import Writing, WritingKind
from agent.text.reading import read
from agent.triage.explanation import Explanation, RuleSaid, Voice, explain
from agent.writing.description import describe
from agent.writing.thread import as_written
from connectors.base import Markup as MarkupOf
from connectors.events import Kind
from connectors.markup import unsigned
from connectors.note import Paragraph
from connectors.reading_back import read_back

ROLES_SHOWN = 3
EVENTS_SHOWN = 100
VALUE_SHOWN = 200
"""Characters of what a ticket was given."""


Noted = Writing | None
Offered = Mapping[WritingKind, Noted]


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of a ticket's history."""

    at: datetime
    what: Markup


async def show(visit: Visit) -> Response:
    """Show one ticket."""
    site, key = visit.site, key_of(visit).rstrip("/ ")  # as addresses are typed and pasted
    found = await visit.read(_read, site, key)
    if found is None:
        return visit.page("no_ticket.html", 404, key=key)
    standing, events, decisions, said, note, offered, acts = found
    ticket, source = standing.ticket, source_of(key)
    day = ticket.filed_at.date()
    opinion = await asyncio.to_thread(
        site.classifier.opinion, ticket.subject, ticket.body, day, hidden=key, source=source
    )
    explanation = explain(opinion)
    blind, spoken = standing.blind and visit.may("reviewer"), opinion.reason not in NOTHING_SPOKE
    ranked = opinion.ranked() if spoken and not blind else []  # a random check must not tell
    first = offered_first(site.classifier.catalogue.names, ranked)
    if blind:
        decisions, said, acts = [], [], []
    subjects = await visit.read(tickets.subjects, [near.ticket_key for near in opinion.neighbours])
    return visit.page(
        "ticket.html",
        current="today",
        standing=standing,
        blind=blind,
        reason=reason(site, standing),
        may_undo=may_undo(visit, standing),
        read=read(ticket.subject, ticket.body),
        explanation=explanation,
        roles=explanation.roles[:ROLES_SHOWN] if spoken else (),
        first=first,
        others=[name for name in site.classifier.catalogue.names if name not in first],
        rules=_rules(explanation),
        voices=tuple(Voice),
        similar=[(n, subjects[n.ticket_key]) for n in opinion.neighbours if n.ticket_key in subjects],
        comment=_shown(site, key, comment(visit, standing)),
        history=sorted(_history(site, events, decisions, said, acts), key=lambda line: line.at),
        outside=_outside(site, standing),
        description=describe(as_written(ticket.subject, ticket.body)),
        note=card(site, note),
        offers={kind.value: offer(site, ticket, kind, row) for kind, row in offered.items()},
        subject_path=f"/subjects{visit.request.url.path.removeprefix('/tickets')}",
        description_path=f"/descriptions{visit.request.url.path.removeprefix('/tickets')}",
        summary_path=f"/summaries{visit.request.url.path.removeprefix('/tickets')}",
        note_path=f"/notes{visit.request.url.path.removeprefix('/tickets')}",
        catalogue=site.classifier.catalogue,
        few=len(site.classifier.catalogue.names) <= FEW_ROLES,
        here=visit.request.url.path,
    )


def _read(
    session: Session, site: Site, key: str
) -> tuple[Standing, Sequence[Inbox], Sequence[Decision], Sequence[Review], Noted, Offered, Sequence[Action]] | None:
    standing = of_ticket(session, key)
    if standing is None:
        return None
    latest = select(Inbox.seq).where(Inbox.ticket_key == key).order_by(col(Inbox.seq).desc()).limit(EVENTS_SHOWN)
    events = select(Inbox).where(col(Inbox.seq).in_(latest))  # a loop's others stay unread
    said = select(Review).where(Review.ticket_key == key).order_by(col(Review.id).desc()).limit(EVENTS_SHOWN)
    decisions = tickets.latest_decisions(session, EVENTS_SHOWN, key)
    note = writings.closing(session, key)
    return (
        standing,
        session.exec(events).all(),
        decisions,
        session.exec(said).all(),
        note,
        {kind: writings.offered(session, key, kind) for kind in writings.OFFERED},
        session.exec(select(Action).where(Action.ticket_key == key).order_by(col(Action.id))).all(),
    )


def comment(visit: Visit, standing: Standing) -> str | None:
    """Return our comment as it stands; none for somebody who does not see every ticket: it names similar ones."""
    return unsigned(standing.comment.text) if standing.comment is not None and visit.limit is None else None


def _shown(site: Site, key: str, comment: str | None) -> list[Paragraph]:
    """Return the paragraphs of our comment: it is kept in the markup of its helpdesk, which is no text for people."""
    connector = site.connectors.get(source_of(key))
    return read_back(comment or "", connector.capabilities.markup if connector else MarkupOf.PLAIN)


def _rules(explanation: Explanation) -> dict[str, list[RuleSaid]]:
    found: dict[str, list[RuleSaid]] = {}
    for rule in explanation.rules:
        found.setdefault(rule.role, []).append(rule)
    return found


def _outside(site: Site, standing: Standing) -> str | None:
    """Return the ticket's address in its helpdesk, if it is one of the web."""
    key, source = standing.ticket.key, source_of(standing.ticket.key)
    connector = site.connectors.get(source)
    address = connector.ticket_url(key.removeprefix(ticket_key(source, ""))) if connector else standing.ticket.url
    return address if address and urlsplit(address).scheme in ("http", "https") else None


def _history(
    site: Site,
    events: Sequence[Inbox],
    decisions: Sequence[Decision],
    said: Sequence[Review],
    acts: Sequence[Action],
) -> Iterator[Happened]:
    texts, words = site.texts, site.words
    for event in events:
        if event.kind != Kind.ANSWERED:
            state = Markup(" ") + texts(f"event_state.{event.state}") if event.state != "done" else Markup("")
            yield Happened(event.received_at, texts(f"event.{event.kind}") + state)
    for decision in decisions:
        if decision.outcome == Outcome.NONE:
            yield Happened(decision.at, texts("history.none"))
        else:
            roles, share = words.roles(decision.roles), words.percent(decision.confidence or 0.0)
            yield Happened(decision.at, texts(f"history.{decision.outcome}", roles=roles, confidence=share))
    for review in said:
        yield Happened(review.at, _said(site, review))
    for act in acts:
        became = Markup(" ") + texts(f"acted.{act.outcome}") if act.outcome != Acted.DONE else Markup("")
        value = words.others(act.value[:VALUE_SHOWN])
        yield Happened(act.settled_at or act.at, texts(f"acted.{act.field}", value=value) + became)


def _said(site: Site, review: Review) -> Markup:
    texts, words = site.texts, site.words
    who = words.person(review)
    if review.withdrawn == ANONYMOUS:
        return texts("history.anonymous", roles=words.roles(site.classifier.catalogue.today(review.roles)))
    if review.via == Via.UNDO:
        return texts("history.undo", who=who)
    if not review.roles and review.strength == 0:
        return texts("history.unclear" if review.via in ON_PAGES else "history.reopened", who=who)
    said = texts(f"history.{review.via}", who=who, roles=words.roles(site.classifier.catalogue.today(review.roles)))
    return Markup("<s>{}</s>").format(said) if review.withdrawn else said
