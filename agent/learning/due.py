"""Whether a night has anything to train for: what training depends on has changed, and enough of it.

A night that has not is in the ledger, with its reason. `rolecall train` always trains. And how many tickets one reads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from sqlmodel import Session, col, select

from agent.config.settings import LearningSettings, Retrain
from agent.domain import Example, RoleCatalogue, TrainingOutcome
from agent.store.tables import Training
from agent.text.reading import CLEANER
from heuristics import RuleSet

NIGHTLY = "nightly"
"""The trigger of trainings that the schedule begins."""

BASIS = "basis"
"""Where the ledger keeps, among the figures, what a training was based on."""

NEEDED = "needed"
"""Where it keeps how many more reviewed tickets would help which role, the neediest first."""

KNOWN = "known"
"""Where it keeps from how many reviewed tickets there were to learn."""

RECENT = 450
"""The latest reviewed tickets that everything is judged on: three windows."""

AUTO_HEAD_WINDOW = 1_000
"""What heads may learn from with `head_window = "auto"`, if it does better than `window`."""

WEEK = timedelta(days=6, hours=12)
"""A weekly training is due in the seventh night, though it may begin somewhat earlier than the last one."""

_WITHOUT_EFFECT = {"nightly_at", "retrain", "keep_versions", "threads", "timeout_seconds", "memory_mb"}


def head_windows(settings: LearningSettings) -> tuple[int, ...]:
    """Return from how many of the latest reviewed tickets heads learn, each a candidate, the least first."""
    given = settings.head_window
    if given == "auto":
        return settings.window, max(settings.window, AUTO_HEAD_WINDOW)
    return (max(settings.window, given) if isinstance(given, int) else settings.window,)


def tickets_read(known: int, settings: LearningSettings) -> int:
    """Return how many of the known tickets a training reads: its time is expected from this."""
    return min(known, settings.window + max(RECENT, *head_windows(settings)))


def basis_of(known: Sequence[Example], catalogue: RoleCatalogue, rules: RuleSet, settings: LearningSettings) -> str:
    """Return a hash of all that a training depends on: reviews, roles, rules, settings, encoder and release."""
    digest = hashlib.sha256(f"{version('rolecall')} {CLEANER} {rules.version} {catalogue.roles!r}".encode())
    digest.update(settings.model_dump_json(exclude=_WITHOUT_EFFECT).encode())
    digest.update(_files(Path(settings.base_model)).encode("utf-8", "surrogatepass"))
    for example in sorted(known, key=lambda each: each.ticket_key):
        review = (example.ticket_key, example.roles, int(example.strength), example.filed_at.isoformat())
        digest.update(repr((*review, example.requester, example.reviewer)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _files(encoder: Path) -> str:
    """Return what tells that an encoder's own folder has changed; one from the hub is kept as it was read first."""
    files = sorted(file for file in encoder.rglob("*") if file.is_file()) if encoder.is_dir() else ()
    return repr([(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files])


def last_training(session: Session) -> Training | None:
    """Return the latest training that has ended and was more than a look at whether one is due."""
    trained = select(Training).where(Training.outcome.not_in((TrainingOutcome.SKIPPED, TrainingOutcome.RUNNING)))  # type: ignore[attr-defined]
    return session.exec(trained.order_by(col(Training.id).desc()).limit(1)).first()


def needed(session: Session) -> Mapping[str, int]:
    """Return how many more reviewed tickets would help which role, as of the latest training."""
    last = last_training(session)
    return last.metrics.get(NEEDED, {}) if last is not None else {}


def reason_to_wait(
    last: Training | None, basis: str, known: Sequence[Example], retrain: Retrain, now: datetime
) -> str | None:
    """Return why a night trains nothing, None where it has to. A training that failed is tried again."""
    if last is None or last.outcome == TrainingOutcome.FAILED:
        return None
    when = f"{last.started_at:%Y-%m-%d %H:%M} UTC"
    if last.metrics.get(BASIS) == basis:
        return f"nothing has changed since the training of {when}: the same reviews, roles, rules and settings"
    if retrain == "weekly" and now - last.started_at < WEEK:
        return f'[learning] retrain = "weekly", and the last training was on {when}'
    if isinstance(retrain, int):
        new = sum(e.reviewed_at is not None and e.reviewed_at > last.started_at for e in known)
        if new < retrain:
            return f"[learning] retrain = {retrain}, and there are {new} new reviews since the training of {when}"
    return None
