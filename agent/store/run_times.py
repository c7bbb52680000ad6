"""How long commands took, to say beforehand how long the next one will take.

Kept are the latest runs of each kind of work, as a shared value: how much there was to do, and the seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from sqlmodel import Session

from agent.store import coordination

PREFIX = "run times of "
KEPT = 5


class Work(StrEnum):
    """What takes long. The unit of its amount is a ticket; of a study a ticket in one replay."""

    IMPORT = "import"
    TRAIN_FROZEN = "training, frozen"
    TRAIN_CONTRASTIVE = "training, contrastive"
    TRAIN_SETFIT = "training, setfit"
    EVALUATE = "evaluate"
    BACKTEST = "backtest"
    CLEAN = "clean"
    STUDY = "study"


MEASURED: Mapping[Work, tuple[float, float]] = {
    Work.IMPORT: (0.5, 0.002),
    Work.TRAIN_FROZEN: (10.0, 0.03),
    Work.TRAIN_CONTRASTIVE: (25.0, 0.5),
    Work.TRAIN_SETFIT: (60.0, 8.0),
    Work.EVALUATE: (1.0, 0.015),
    Work.BACKTEST: (4.0, 0.015),
    Work.CLEAN: (5.0, 0.02),
    Work.STUDY: (5.0, 0.08),
}
"""Seconds that it takes to begin, and for each unit, on two cores: what is expected until a run tells better."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The seconds that work will take; `runs`: how many earlier ones say so."""

    seconds: float
    runs: int


def expected(session: Session, work: Work, amount: int) -> Expected:
    """Return how long an amount of work will take: as measured elsewhere, times what this machine made of it."""
    runs = _kept(session, work)
    factor = median(seconds / _measured(work, done) for done, seconds in runs) if runs else 1.0
    return Expected(_measured(work, amount) * factor, len(runs))


def keep(session: Session, work: Work, amount: int, seconds: float) -> None:
    """Store how long an amount of work took."""
    runs = [*_kept(session, work), (amount, round(seconds, 1))][-KEPT:]
    coordination.put(session, f"{PREFIX}{work}", json.dumps(runs))


def _measured(work: Work, amount: int) -> float:
    begin, each = MEASURED[work]
    return begin + each * amount


def _kept(session: Session, work: Work) -> list[tuple[int, float]]:
    return [(amount, seconds) for amount, seconds in json.loads(coordination.value(session, f"{PREFIX}{work}") or "[]")]
