"""Where every role stands on the ladder: its stage, its evidence, what is offered, and what the next stage lacks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from agent.ladder import earning, evidence
from agent.ladder.earning import Shown
from agent.ladder.moving import Ladder
from agent.store.stages import Stage, StageMove


@dataclass(frozen=True, slots=True)
class Place:
    """Where one role stands.

    `stage` is the one at which it acts, `taken` the one that was taken, which is higher where a setting caps it.
    `next` is the lowest stage that it has not earned, with its bar `least`; `lacking` random checks are missing for it,
    which take `days` at today's share: None where it does not come to that.
    """

    role: str
    stage: Stage
    taken: Stage
    shown: Shown
    offered: Stage | None = None
    next: Stage | None = None
    least: float = 0.0
    lacking: int | None = None
    days: float | None = None
    last: StageMove | None = None


def places(session: Session, ladder: Ladder, share: float, now: datetime) -> list[Place]:
    """Return where every role stands, in the order of the roles; `share` of new tickets is drawn for random checks."""
    found = ladder.stages(session)
    shown = evidence.shown(session, ladder.catalogue, found, now)
    return [
        _place(ladder, name, found.of(name), found.taken(name), shown[name], found.last.get(name), share)
        for name in ladder.catalogue.names
    ]


def _place(
    ladder: Ladder, role: str, stage: Stage, taken: Stage, shown: Shown, last: StageMove | None, share: float
) -> Place:
    offered = earning.offered(taken, shown, ladder.settings)
    has = max(taken, offered or taken)
    following = Stage(has + 1) if has < Stage.ASSIGN else None
    if following is None:
        return Place(role, stage, taken, shown, offered, last=last)
    least = earning.bar(following, ladder.settings)
    lacking = earning.lacking(shown.earned, least)
    days = earning.days(lacking, shown.a_day, share) if lacking is not None else None
    return Place(role, stage, taken, shown, offered, following, least, lacking, days, last)
