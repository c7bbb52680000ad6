"""What would have been said on reviewed tickets, each answered as if its review had not been seen.

said = backtest(trial, model, cutoffs, encoder)         # one for each ticket, oldest review first
by_role(said)                                           # where it is worst
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.domain import Example, Outcome
from agent.learning.contest import Contest
from agent.triage.cutoffs import Abstained, Cutoffs, judge
from agent.triage.evidence import Floats
from agent.triage.fusion import Fusion
from agent.triage.model import TicketModel


@dataclass(frozen=True, slots=True)
class Said:
    """What would have been said on a ticket: the roles named, most probable first; none where nothing was."""

    example: Example
    outcome: Outcome
    roles: tuple[str, ...]
    confidence: float

    @property
    def right(self) -> bool:
        """Whether a clear suggestion named the known roles, or an either-or one of them."""
        known = set(self.example.roles)
        return set(self.roles) == known if self.outcome is Outcome.CLEAR else not known.isdisjoint(self.roles)


@dataclass(frozen=True, slots=True)
class RoleTally:
    """The tickets of one role: how many there are, and of these clear and right, clear and wrong."""

    role: str
    tickets: int
    right: int
    wrong: int


def backtest(trial: Contest, model: TicketModel | None, cutoffs: Cutoffs, encoder: str) -> list[Said]:
    """Return what would have been said on each ticket of a contest; without a model, by rules and memory."""
    answers = trial.answers(model) if model else trial.without_model(Fusion.untrained(trial.roles), encoder)
    return [_said(example, row, trial.roles, cutoffs) for example, row in zip(trial.examples, answers, strict=True)]


def _said(example: Example, answer: Floats, roles: Sequence[str], cutoffs: Cutoffs) -> Said:
    verdict = judge(answer, roles, cutoffs)
    if isinstance(verdict, Abstained) or np.ptp(answer) == 0.0:  # all alike: nothing speaks for any
        return Said(example, Outcome.NONE, (), 0.0)
    named = (*verdict.roles, verdict.alternative) if verdict.alternative else verdict.roles
    return Said(example, Outcome.CLEAR if verdict.clear else Outcome.EITHER_OR, named, verdict.probability)


def by_role(said: Sequence[Said]) -> list[RoleTally]:
    """Return a tally for each known role, those with most wrong clear suggestions first, then with fewest right."""
    tallies = []
    for role in sorted({role for one in said for role in one.example.roles}):
        of_role = [one for one in said if role in one.example.roles]
        clear = [one for one in of_role if one.outcome is Outcome.CLEAR]
        right = sum(one.right for one in clear)
        tallies.append(RoleTally(role, len(of_role), right, len(clear) - right))
    return sorted(tallies, key=lambda t: (-t.wrong, t.right - t.tickets, t.role))
