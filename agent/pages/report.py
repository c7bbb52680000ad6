"""Report: the week in numbers."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path

from sqlmodel import Session, col, select
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from agent.config.settings import Settings
from agent.domain import TrainingOutcome
from agent.feedback.exporting import KINDS, known_roles, write
from agent.learning.due import needed
from agent.pages.document import Document, Night
from agent.pages.guard import Refused, Visit
from agent.pages.kept import kept
from agent.pages.signing import audit
from agent.pages.site import Site
from agent.pages.week_document import WEEKS, document
from agent.pages.words import Words
from agent.report.cases import cases
from agent.report.week import Week
from agent.store.tables import Training

MEDIA = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


async def latest(visit: Visit) -> Response:
    """Show the last whole week, or this one where nothing came in before it."""
    return await _show(visit, None)


async def show(visit: Visit) -> Response:
    """Show a week."""
    week = Week.of(str(visit.request.path_params["week"]))
    if week is None or week > Week.containing(visit.site.now().astimezone().date()):
        raise Refused(404, "no_week")
    return await _show(visit, week)


async def export(visit: Visit) -> Response:
    """Send every ticket with a known role as a file."""
    return await file(visit, visit.field("kind"))


async def file(visit: Visit, kind: str) -> Response:
    """Return every ticket with a known role as a file of this kind, and note who took it. Raises Refused."""
    site = visit.site
    if f".{kind}" not in KINDS:
        raise Refused(400, "malformed")
    folder = Path(tempfile.mkdtemp(prefix="export-", dir=site.directory.path))
    remove = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    name = f"known-roles-{site.now():%Y-%m-%d}.{kind}"
    try:
        rows = await visit.read(_export, folder / name, site)
        note = partial(audit.note, who=visit.who.name, action=audit.Action.EXPORTED, at=site.now(), tickets=rows)
        await site.database.write(note)
    except BaseException:
        await remove()
        raise
    return FileResponse(folder / name, filename=name, media_type=MEDIA[kind], background=remove)


def _export(session: Session, file: Path, site: Site) -> int:
    return write(file, known_roles(session, site.words.catalogue))


def read(session: Session, settings: Settings, words: Words, week: Week | None) -> Document:
    """Return the document of a week, all of it read now; of the last whole one, or else this one, for None."""
    if week is None:
        this = Week.containing(words.now().astimezone().date())
        whole = this.shifted(-1)
        week = whole if cases(session, whole.begin, whole.end, words.catalogue) else this
    found = cases(session, week.shifted(1 - WEEKS).begin, week.end, words.catalogue)
    trained = nights(session, week)
    target, persons = settings.triage.precision_target, settings.report.persons
    return document(week, found, trained, words, target, persons, needed(session))


def nights(session: Session, week: Week) -> list[Night]:
    """Return what came of the trainings of a week, but for those that had nothing to do."""
    began = select(Training).where(Training.started_at >= week.begin, Training.started_at < week.end)
    rows = session.exec(began.order_by(col(Training.id)))
    idle = (TrainingOutcome.SKIPPED, TrainingOutcome.RUNNING)
    return [Night(row.started_at, row.outcome, row.reason or "") for row in rows if row.outcome not in idle]


async def _show(visit: Visit, week: Week | None) -> Response:
    site = visit.site
    this = Week.containing(site.now().astimezone().date())
    found = await made(visit, week)
    following = found.week.shifted(1) if found.week < this else None
    before = found.week.shifted(-1)
    return visit.page("report.html", current="report", document=found, before=before, following=following)


async def made(visit: Visit, week: Week | None) -> Document:
    """Return the report of a week, made a while ago where making it takes long; for None, of the last whole one."""
    site = visit.site
    last = Week.containing(site.now().astimezone().date()).shifted(-1)
    name = f"report {week or last} {week is None} {visit.limit}"
    return await kept(site, name, lambda: visit.read(read, site.settings, site.words, week))
