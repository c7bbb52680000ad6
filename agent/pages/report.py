"""Report: the week in numbers."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlmodel import Session, col, select
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from agent.config.settings import Settings
from agent.domain import TrainingOutcome
from agent.feedback.exporting import KINDS, known_roles, write
from agent.pages.document import Document, Night
from agent.pages.guard import Refused, Visit
from agent.pages.signing import audit
from agent.pages.site import Site
from agent.pages.week_document import WEEKS, document
from agent.pages.words import Words
from agent.report.cases import Case, cases
from agent.report.week import Week
from agent.store.database import Database
from agent.store.tables import Training

MEDIA = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
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


async def export(visit: Visit) -> Response:
    """Send every ticket with a known role as a file."""
    site, kind = visit.site, visit.field("kind")
    if f".{kind}" not in KINDS:
        raise Refused(400, "malformed")
    folder = Path(tempfile.mkdtemp(prefix="export-", dir=site.directory.path))
    remove = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    name = f"known-roles-{site.now():%Y-%m-%d}.{kind}"
    try:
        rows = await site.database.read(_export, folder / name, site)
        note = partial(audit.note, who=visit.who.name, action=audit.Action.EXPORTED, at=site.now(), tickets=rows)
        await site.database.write(note)
    except BaseException:
        await remove()
        raise
    return FileResponse(folder / name, filename=name, media_type=MEDIA[kind], background=remove)


def _export(session: Session, file: Path, site: Site) -> int:
    return write(file, known_roles(session, site.words.catalogue))


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
