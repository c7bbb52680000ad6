"""Training jobs of the model API: stored before they are acknowledged, run in order, and never left running.

pending → running → completed | failed. A job that a stopped server left running is pending again at the next start.
Its request may hold megabytes of texts: only the server that trains it reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from agent.errors import RolecallError
from agent.store.tables import ModelJob, utcnow

PENDING, RUNNING, COMPLETED, FAILED = "pending", "running", "completed", "failed"
OPEN = (PENDING, RUNNING)

MAX_STARTS = 3
"""A job that was running each time the server went down may be the cause."""


class QueueFull(RolecallError):
    """As many jobs as allowed are open."""


class KeyReused(RolecallError):
    """An idempotency key came with another request than before."""


def add(session: Session, job: ModelJob, *, most_open: int) -> ModelJob:
    """Store a job and return it, or return the job that has the same idempotency key.

    Raises QueueFull, KeyReused.
    """
    if job.idempotency_key is not None:
        known = session.exec(_without_requests().where(ModelJob.idempotency_key == job.idempotency_key)).first()
        if known is not None:
            if known.digest != job.digest:
                raise KeyReused("this idempotency key came with another request before")
            return known
    if session.exec(select(func.count()).where(col(ModelJob.state).in_(OPEN))).one() >= most_open:
        raise QueueFull(f"{most_open} jobs are open already, as many as allowed ([api] max_open_jobs)")
    session.add(job)
    session.flush()
    return job


def get(session: Session, job_id: str) -> ModelJob | None:
    """Return a job without its request."""
    return session.exec(_without_requests().where(ModelJob.id == job_id)).first()


def open_for(session: Session, model_name: str) -> list[str]:
    """Return the ids of the jobs that are to make a version of this model, and have not ended."""
    query = select(ModelJob.id).where(ModelJob.model_name == model_name, col(ModelJob.state).in_(OPEN))
    return list(session.exec(query))


def newest(session: Session, limit: int, model_name: str | None = None) -> Sequence[ModelJob]:
    """Return the newest jobs, of one model or of all, without their requests."""
    query = _without_requests().order_by(col(ModelJob.seq).desc()).limit(limit)
    return session.exec(query if model_name is None else query.where(ModelJob.model_name == model_name)).all()


def open_jobs(session: Session) -> tuple[set[str], int]:
    """Return the names of the models that open jobs make, and how many characters their requests have together."""
    names = session.exec(select(ModelJob.model_name).where(col(ModelJob.state).in_(OPEN))).all()
    held = select(func.coalesce(func.sum(func.length(ModelJob.request)), 0)).where(col(ModelJob.state).in_(OPEN))
    return set(names), session.exec(held).one()


def claim(session: Session, server: str) -> ModelJob | None:
    """Start the oldest pending job on a server and return it with its request, None when there is none."""
    pending = select(ModelJob).where(ModelJob.state == PENDING).order_by(col(ModelJob.seq))
    job = session.exec(pending.with_for_update(skip_locked=True)).first()  # of servers on one database, one gets it
    if job is not None:
        job.state, job.server, job.started_at, job.starts = RUNNING, server, utcnow(), job.starts + 1
    return job


def complete(session: Session, job_id: str, version: str) -> None:
    """Mark a job as completed with the version that it made."""
    job = get(session, job_id)
    if job is not None:
        job.state, job.version, job.finished_at, job.request = COMPLETED, version, utcnow(), ""


def fail(session: Session, job_id: str, reason: str, *, only: str | None = None) -> bool:
    """Mark an open job as failed, and return whether it was open (and in the state `only`)."""
    job = get(session, job_id)
    if job is None or job.state not in OPEN or only not in (None, job.state):
        return False
    job.state, job.error, job.finished_at, job.request = FAILED, reason, utcnow(), ""
    return True


def recover(session: Session, server: str, longest: timedelta) -> list[str]:
    """Requeue the jobs that this server left running when it stopped, and return their ids.

    A job fails after MAX_STARTS starts, or when another server has not ended it `longest` after its start.
    """
    left = session.exec(_without_requests().where(ModelJob.state == RUNNING)).all()
    for job in left:
        if job.server != server:
            if job.started_at is not None and job.started_at + longest < utcnow():
                fail(session, job.id, "the server that ran this did not come back")
        elif job.starts < MAX_STARTS:
            job.state, job.started_at = PENDING, None
        else:
            fail(session, job.id, f"the server stopped {job.starts} times while this was under way")
    return [job.id for job in left if job.server == server]


def _without_requests() -> SelectOfScalar[ModelJob]:
    return select(ModelJob).options(defer(ModelJob.request, raiseload=True))  # type: ignore[arg-type]  # a column here
