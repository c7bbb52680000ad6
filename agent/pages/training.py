"""Train now: an operator begins a training in a process of its own, and everybody sees how far it is."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlmodel import Session, col, func, select

from agent.domain import Strength, TrainingOutcome
from agent.learning.due import tickets_read
from agent.learning.turn import STEP, taken
from agent.packages import TRAINING, missing
from agent.pages.guard import Refused, Visit
from agent.pages.signing import audit
from agent.store import coordination
from agent.store.run_times import Work, expected
from agent.store.tables import Review, Training, utcnow
from agent.store.tickets import STANDING

STEPS = ("waiting", "read", "tune", "cross-fit")


@dataclass(frozen=True, slots=True)
class Now:
    """Whether a training runs, since how many seconds and at which step; how long one takes, and what keeps it."""

    runs: bool
    seconds: float
    step: str
    takes: float
    lacks: str | None

    @property
    def named(self) -> str:
        """The step as sentences name it."""
        return self.step.partition(" ")[0] if self.step.partition(" ")[0] in STEPS else "other"

    @property
    def share(self) -> float:
        """How much of the expected time is over; never all of it while it runs."""
        return min(self.seconds / max(self.takes, 1.0), 0.99)


async def now(visit: Visit) -> Now:
    """Return what is to be said of a training now."""
    site = visit.site
    runs = await asyncio.to_thread(taken, site.directory.path, site.database)
    learning = site.settings.learning
    began, step, amount = await site.database.read(_read, tickets_read(sys.maxsize, learning))
    work = Work(f"training, {learning.trainer}")
    takes = await site.database.read(expected, work, amount)
    seconds = (utcnow() - began).total_seconds() if runs and began is not None else 0.0
    return Now(runs, max(seconds, 0.0), step if runs else "", takes.seconds, missing(*TRAINING))


async def begin(visit: Visit) -> None:
    """Begin a training. Raises Refused where one runs, or where this server cannot train."""
    site, found = visit.site, await now(visit)
    if found.lacks is not None:
        raise Refused(409, "cannot_train", reason=found.lacks)
    if found.runs or not site.train():
        raise Refused(409, "training_runs")
    await site.database.write(partial(audit.note, who=visit.who.name, action=audit.Action.TRAINING, at=site.now()))


def _read(session: Session, most: int) -> tuple[datetime | None, str, int]:
    """Return since when a training runs, its step, and how many tickets one would read, `most` at most."""
    running = select(Training.started_at).where(Training.outcome == TrainingOutcome.RUNNING)
    began = session.exec(running.order_by(col(Training.id).desc()).limit(1)).first()
    known = select(Review.ticket_key).where(STANDING, Review.strength > Strength.REOPENED).distinct().limit(most)
    count = session.exec(select(func.count()).select_from(known.subquery())).one()
    return began, coordination.value(session, STEP) or "", count
