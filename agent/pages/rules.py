"""Rules: which words decide, and how well; a text to try, and the lines of rules that known roles suggest.

The file stays the truth: agent.pages.editing adds a rule that somebody approves, or this page shows its lines.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, select
from starlette.responses import Response

from agent.config.edited import Edited, look
from agent.domain import RoleCatalogue
from agent.pages.guard import Refused, Visit
from agent.pages.kept import kept
from agent.pages.standing import NOTHING_SPOKE
from agent.store import tickets
from agent.store.among import among
from agent.store.finding import LIMITED, of_few
from agent.store.limits import among_latest
from agent.store.tables import Review
from agent.triage.explanation import Explanation, explain
from heuristics import Kind, RuleSet, tally, vetoed
from heuristics.mining import propose, to_toml
from heuristics.report import ReviewedText, RuleFigures, report

LATEST = 300
"""Known roles that rules are measured on and found in: the cost stays the same however many there are."""

PROPOSED, LEAST_RIGHT = 8, 3
LONGEST = 20_000
STRONG, DECISIVE = 1.0, 2.3
"""Weights from which a rule is more than a hint: the latter makes the odds ten times higher."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule that known roles suggest, how it fared on them, and its lines for the file."""

    figures: RuleFigures
    lines: str


@dataclass(frozen=True, slots=True)
class Measured:
    """All rules on the latest known roles, those with most mistakes first, and what else these suggest."""

    count: int
    rules: tuple[RuleFigures, ...]
    proposals: tuple[Proposal, ...]


async def show(visit: Visit) -> Response:
    """Show all rules, and a form to try a text."""
    return await _page(visit)


async def try_(visit: Visit) -> Response:
    """Show what the rules find in a text, and what would be suggested on it. Nothing is kept."""
    subject, body = visit.field("subject")[:LONGEST], visit.field("body")[:LONGEST]
    day = visit.site.now().astimezone().date()
    opinion = await asyncio.to_thread(visit.site.classifier.opinion, subject, body, day)
    return await _page(visit, subject, body, explain(opinion))


def measured(rules: RuleSet, known: Sequence[ReviewedText]) -> Measured:
    """Return how rules fare on known roles, and which rules these suggest that there are not yet."""
    found = sorted(report(rules, known).rules, key=lambda one: (one.right - one.tickets, -one.tickets, one.rule.id))
    there = {word.casefold() for rule in rules.rules for word in rule.keywords}
    labelled = [(f"{text.subject} {text.body}", text.roles[0]) for text in known if len(text.roles) == 1]
    texts, roles = zip(*labelled, strict=True) if labelled else ((), ())
    new = [rule for rule in propose(texts, roles, LEAST_RIGHT) if rule.keywords[0].casefold() not in there]
    figures = {one.rule.id: one for one in report(RuleSet(new), known).rules}
    best = sorted(new, key=lambda rule: (-figures[rule.id].interval[0], -figures[rule.id].tickets))
    proposals = tuple(Proposal(figures[rule.id], to_toml([rule])) for rule in best[:PROPOSED])
    return Measured(len(known), tuple(found), proposals)


def says(figures: RuleFigures) -> str:
    """Return the key of the words for a rule's weight."""
    if figures.rule.kind is Kind.VETO:
        return "rules_out"
    weight = figures.rule.weight
    return "decisive" if weight >= DECISIVE else "strong" if weight >= STRONG else "hint"


async def file_of(visit: Visit) -> Edited:
    """Return the file of rules as it is now. Raises Refused where it cannot be read."""
    return await looked_at(visit, visit.site.settings.rules)


async def looked_at(visit: Visit, path: Path) -> Edited:
    """Return one of the operator's files as it is now. Raises Refused where it cannot be read."""
    try:
        return await asyncio.to_thread(look, path, visit.site.database.clustered)
    except OSError as error:
        raise Refused(503, "file_unreadable") from error


async def _page(visit: Visit, subject: str = "", body: str = "", tried: Explanation | None = None) -> Response:
    hits = tried.opinion.hits if tried else ()
    return visit.page(
        "rules.html",
        current="rules",
        measured=await measured_for(visit),
        says=says,
        subject=subject,
        body=body,
        tried=tried,
        spoken=tried is not None and tried.opinion.reason not in NOTHING_SPOKE,
        sums=tally(hits),
        barred=sorted(vetoed(hits)),
        file=await file_of(visit),
        version=visit.site.classifier.rules.version,
    )


async def measured_for(visit: Visit) -> Measured:
    """Return how rules fare, and which are proposed, on the latest known roles that somebody sees."""
    rules = visit.site.classifier.rules

    async def measure() -> Measured:
        return await asyncio.to_thread(measured, rules, await visit.read(_known, visit.site.words.catalogue))

    forgotten = await visit.read(tickets.newest_forgotten)  # whose words nobody is shown any more
    return await kept(visit.site, f"rules {rules.version} {forgotten} {visit.limit}", measure)


def _known(session: Session, catalogue: RoleCatalogue) -> list[ReviewedText]:
    keys = list(dict.fromkeys(_reviewed_last(session)))
    placed = [example for _, example in tickets.placed(session, catalogue, keys) if example.roles]
    return [ReviewedText(e.ticket_key, *e.words, e.roles, e.filed_at.date()) for e in placed]


def _reviewed_last(session: Session) -> Sequence[str]:
    """Return the tickets of the latest reviews that somebody sees; of one that sees few tickets, of all on these."""
    if LIMITED not in session.info:
        return [row.ticket_key for row in tickets.latest_reviews(session, LATEST)]
    few = of_few(session)
    these = among_latest(session) if few is None else among(Review.ticket_key, few)
    own = select(Review.ticket_key).where(these).order_by((col(Review.id) + 0).desc())
    return session.exec(own.limit(LATEST)).all()
