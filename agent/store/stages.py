"""How far each role may go by itself: its stage, and every move from one stage to another, with who and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from sqlmodel import Field, Session, SQLModel, col, select

from agent.domain import RoleCatalogue
from agent.store.coordination import time_column

EVERY_ROLE = ""
"""Stands for all roles that have no row of their own."""


class Stage(IntEnum):
    """How far Rolecall goes with a clear suggestion of a role; each stage does what those below do, too."""

    SHADOW = 0
    """It is recorded, and nothing is posted."""
    COMMENT = 1
    TAG = 2
    """The ticket gets the role's tag, where its system has tags."""
    ASSIGN = 3
    """The ticket is put into the role's group."""

    @property
    def word(self) -> str:
        """How people, settings and the database call it."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Stage:
        """Return the stage of this name. Raises KeyError where there is none."""
        return cls[word.upper()]


class Why(StrEnum):
    """Why a role was moved to another stage."""

    TAKEN = "taken"
    """A person took what was offered."""
    POLICY = "policy"
    """It was offered, and `[ladder] policy` takes that by itself."""
    LOWERED = "lowered"
    """A person lowered it."""
    CHECKS = "checks"
    """Random checks found too many clear suggestions wrong."""
    PEOPLE = "people"
    """People took back too much of what Rolecall did."""


OF_ITSELF = frozenset({Why.CHECKS, Why.PEOPLE})
"""Reasons for which a role is lowered without a person."""


class StageMove(SQLModel, table=True):
    """A role went from one stage to another. `right` of `count`: the evidence at that time, where there was any.

    `who` is "" where Rolecall did it by itself.
    """

    __tablename__ = "stage_move"

    id: int | None = Field(default=None, primary_key=True)
    role: str
    before: str
    stage: str
    at: datetime = Field(sa_column=time_column())
    who: str = ""
    why: str
    right: int | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Stages:
    """The stage of each role by its name of today, and the last move of those that were moved by name.

    `fell` is when those were last lowered by themselves that ever were. `others` is the stage of all that were not
    moved by name; `capped`: nothing is posted whatever was taken.
    """

    named: Mapping[str, Stage]
    others: Stage
    last: Mapping[str, StageMove]
    fell: Mapping[str, datetime]
    capped: bool = False

    def of(self, role: str) -> Stage:
        """Return the stage at which a role acts now."""
        return Stage.SHADOW if self.capped else self.taken(role)

    def taken(self, role: str) -> Stage:
        """Return the stage that was taken for a role, whatever caps it."""
        return self.named.get(role, self.others)

    def together(self, roles: Sequence[str]) -> Stage:
        """Return how far a suggestion of these roles may go; of none, what is posted on any ticket at all."""
        found = [self.of(role) for role in roles]
        return min(found) if found else max(map(self.of, self.named), default=self.of(EVERY_ROLE))


def read(session: Session, catalogue: RoleCatalogue, start: Stage, *, capped: bool = False) -> Stages:
    """Return all stages. `start` is the stage of roles that nobody has moved."""
    rows = session.exec(select(StageMove).order_by(col(StageMove.id))).all()
    last = {row.role: row for row in rows}
    falls = {row.role: row.at for row in rows if row.why in OF_ITSELF}
    others = Stage.of(last[EVERY_ROLE].stage) if EVERY_ROLE in last else start
    moves: dict[str, StageMove] = {}
    fell: dict[str, datetime] = {}
    for role in catalogue.roles:
        former = [last[name] for name in role.aliases if name in last]
        own = last.get(role.name) or max(former, key=lambda row: row.id or 0, default=None)
        moves |= {role.name: own} if own is not None else {}
        times = [falls[name] for name in (role.name, *role.aliases) if name in falls]
        fell |= {role.name: max(times)} if times else {}
    named = {name: Stage.of(moves[name].stage) if name in moves else others for name in catalogue.names}
    return Stages(named, others, moves, fell, capped)


def fallen(session: Session, since: datetime) -> Sequence[StageMove]:
    """Return the roles that were lowered by themselves since a time."""
    of_itself = col(StageMove.why).in_(sorted(OF_ITSELF)), StageMove.at >= since
    return session.exec(select(StageMove).where(*of_itself).order_by(col(StageMove.id))).all()


def hidden(session: Session, start: Stage) -> bool:
    """Return whether every role is in shadow, whatever they are called: nobody has moved one out of it."""
    last = {row.role: row.stage for row in session.exec(select(StageMove).order_by(col(StageMove.id)))}
    return set({EVERY_ROLE: start.word, **last}.values()) == {Stage.SHADOW.word}
