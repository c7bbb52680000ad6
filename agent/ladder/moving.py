"""Move roles from one stage to another: by a person, by policy, or by itself when live evidence turns.

    database.call(take, ladder, "Network", Stage.TAG, "kim", now)     # raises NotEarned
    database.call(settle, ladder, now)                                # lowers what has to be lowered

Each move is one row, and one line in the log of who changed what.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlmodel import Session

from agent.config.checks import LadderSettings
from agent.domain import RoleCatalogue
from agent.errors import BadInput, NotPossibleYet
from agent.ladder import earning, evidence
from agent.report.week import Share
from agent.store import stages
from agent.store.people import Audit
from agent.store.stages import EVERY_ROLE, Stage, StageMove, Stages, Why

log = structlog.get_logger()

LOGGED = "stage"
"""What these moves are called in the log."""


class NotEarned(NotPossibleYet):
    """A role has not earned a stage; the message says what is lacking."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """What is needed to say where every role stands. `shadow`: `[triage] shadow` caps all of them."""

    catalogue: RoleCatalogue
    settings: LadderSettings
    shadow: bool = False

    def stages(self, session: Session) -> Stages:
        """Return the stage of every role."""
        return stages.read(session, self.catalogue, Stage.of(self.settings.start), capped=self.shadow)


def take(session: Session, ladder: Ladder, role: str, stage: Stage, who: str, now: datetime) -> StageMove:
    """Raise a role to a stage that it has earned. Raises NotEarned, and BadInput where it is there already."""
    name = named(ladder, role)
    found = ladder.stages(session)
    before = found.taken(name)
    if stage <= before:
        raise BadInput(f"{name} is at {before.word}: `rolecall ladder lower` takes it down")
    shown = evidence.shown(session, ladder.catalogue, found, now)[name]
    if not earning.reached(stage, shown, ladder.settings):
        raise NotEarned(_lacking(name, stage, shown.earned, ladder.settings))
    return _move(session, name, before, stage, now, who, Why.TAKEN, shown.earned)


def lower(session: Session, ladder: Ladder, role: str, stage: Stage, who: str, now: datetime) -> StageMove:
    """Lower a role to a stage. Raises BadInput where it is not above it."""
    name = named(ladder, role)
    before = ladder.stages(session).taken(name)
    if stage >= before:
        raise BadInput(f"{name} is at {before.word}: `rolecall ladder take` raises it")
    return _move(session, name, before, stage, now, who, Why.LOWERED)


def begin(session: Session, ladder: Ladder, who: str, now: datetime) -> bool:
    """Move every role that is in shadow to comment, and roles to come, too; return False where none is."""
    found = ladder.stages(session)
    hidden = [name for name in found.last if found.taken(name) is Stage.SHADOW]
    if found.others is not Stage.SHADOW and not hidden:
        return False
    for name in ([EVERY_ROLE] if found.others is Stage.SHADOW else []) + hidden:
        _move(session, name, Stage.SHADOW, Stage.COMMENT, now, who, Why.TAKEN)
    return True


def settle(session: Session, ladder: Ladder, now: datetime, role: str | None = None) -> list[StageMove]:
    """Lower every role whose live evidence has turned, and take what is offered if the policy says so.

    One role only, if it is given, by what people did alone: that is what is looked at before each ticket.
    """
    return [_move(session, *planned) for planned in turned(session, ladder, now, role)]


Planned = tuple[str, Stage, Stage, datetime, str, Why, Share]


def turned(session: Session, ladder: Ladder, now: datetime, role: str | None = None) -> list[Planned]:
    """Return what `settle` would do now, and change nothing."""
    found, settings = ladder.stages(session), ladder.settings
    names = [name for name in ([role] if role else ladder.catalogue.names) if found.taken(name) > Stage.COMMENT]
    takes = settings.policy == "take" and role is None
    if not names and not takes:
        return []
    if role is None:
        looked = evidence.shown(session, ladder.catalogue, found, now)
    else:
        looked = {role: earning.Shown(acts=evidence.acts(session, ladder.catalogue, role, found))}
    moves: list[Planned] = []
    for name in ladder.catalogue.names if takes else names:
        before, shown = found.taken(name), looked[name]
        if (fall := earning.fallen(before, shown, settings)) is not None:
            moves.append((name, before, Stage(before - 1), now, "", fall.why, fall.evidence))
        elif takes and before is not Stage.SHADOW and (more := earning.offered(before, shown, settings)) is not None:
            moves.append((name, before, more, now, "", Why.POLICY, shown.earned))
    return moves


def tell(move: StageMove) -> None:
    """Log a move that nobody made."""
    log.warning("role_moved", role=move.role, stage=move.stage, why=move.why, right=move.right, count=move.count)


def named(ladder: Ladder, role: str) -> str:
    """Return the name of today of a role. Raises BadInput where there is none."""
    if (found := ladder.catalogue.lookup(role)) is None:
        raise BadInput(f"there is no role {role}: see `rolecall roles`")
    return found.name


def _lacking(name: str, stage: Stage, checks: Share, settings: LadderSettings) -> str:
    least = earning.bar(stage, settings)
    more = earning.lacking(checks, least)
    so_far = f"{checks.right} of {checks.count} clear suggestions that were checked at random were right"
    lacks = "so many are wrong that more checks do not help" if more is None else f"{more} more right checks would"
    return (
        f"{name} has not earned {stage.word}: {so_far}, at least {checks.interval[0]:.0%} in the long run, and "
        f"{least:.0%} is asked for ([ladder] {stage.word}_at); {lacks}"
    )


def _move(
    session: Session,
    name: str,
    before: Stage,
    stage: Stage,
    now: datetime,
    who: str,
    why: Why,
    shown: Share | None = None,
) -> StageMove:
    counted = {"right": shown.right, "count": shown.count} if shown is not None and shown.count else {}
    move = StageMove(role=name, before=before.word, stage=stage.word, at=now, who=who, why=why, **counted)
    session.add(move)
    detail = {"role": name, "from": before.word, "to": stage.word, "why": str(why), **counted}
    session.add(Audit(at=now, who=who or "Rolecall", action=LOGGED, detail=detail))
    session.flush()
    return move
