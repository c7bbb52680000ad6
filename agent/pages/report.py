"""Report: the week in numbers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select
from starlette.responses import Response

from agent.config.settings import Settings
from agent.domain import TrainingOutcome
from agent.pages.document import Document, Night
from agent.pages.guard import Refused, Visit
from agent.pages.site import Site
from agent.pages.week_document import WEEKS, document
from agent.pages.words import Words
from agent.report.cases import Case, cases
from agent.report.week import Week
from agent.store.database import Database
from agent.store.tables import Training

KEPT_FOR = 100.0
"""A week's tickets are read again after so many times as long as reading them took: a small desk's at once."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The tickets of a week, as they were read, and until when by a steady clock they are good."""

    cases: Sequence[Case]
    until: float


async def latest(visit: Visit) -> Response:
    """Show the last whole week, or this one where nothing came in before it."""
    this = Week.containing(visit.site.now().astimezone().date())
    whole = await _cases(visit.site, this.shifted(-1))
    return await _show(visit, this.shifted(-1) if whole else this)


async def show(visit: Visit) -> Response:
    """Show a week."""
    week = Week.of(str(visit.request.path_params["week"]))
    if week is None or week > Week.containing(visit.site.now().astimezone().date()):
        raise Refused(404, "no_week")
    return await _show(visit, week)


def read(database: Database, settings: Settings, words: Words, week: Week | None) -> Document:
    """Return the document of a week, all of it read now; of the last whole one, or else this one, for None."""
    if week is None:
        this = Week.containing(words.now().astimezone().date())
        whole = this.shifted(-1)
        week = whole if database.call(cases, whole.begin, whole.end, words.catalogue) else this
    found = database.call(cases, week.shifted(1 - WEEKS).begin, week.end, words.catalogue)
    trained = database.call(nights, week)
    return document(week, found, trained, words, settings.triage.precision_target, settings.report.persons)


def nights(session: Session, week: Week) -> list[Night]:
    """Return what came of the trainings of a week, but for those that had nothing to do."""
    began = select(Training).where(Training.started_at >= week.begin, Training.started_at < week.end)
    rows = session.exec(began.order_by(col(Training.id)))
    idle = (TrainingOutcome.SKIPPED, TrainingOutcome.RUNNING)
    return [Night(row.started_at, row.outcome, row.reason or "") for row in rows if row.outcome not in idle]


async def _show(visit: Visit, week: Week) -> Response:
    site = visit.site
    found = [case for back in range(WEEKS) for case in await _cases(site, week.shifted(-back))]
    these = await site.database.read(nights, week)
    this = Week.containing(site.now().astimezone().date())
    following = week.shifted(1) if week < this else None
    target, persons = site.settings.triage.precision_target, site.settings.report.persons
    made = document(week, found, these, site.words, target, persons)
    return visit.page("report.html", current="report", document=made, before=week.shifted(-1), following=following)


async def _cases(site: Site, week: Week) -> Sequence[Case]:
    known: Kept | None = site.weeks.get(week)
    if known is not None and time.monotonic() < known.until:
        return known.cases
    began = time.monotonic()
    found = await site.database.read(cases, week.begin, week.end, site.words.catalogue)
    ended = time.monotonic()
    site.weeks[week] = Kept(found, ended + KEPT_FOR * (ended - began))
    return found
