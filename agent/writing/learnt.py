"""Fit what picks the message with the solution to the notes that people accepted or edited, behind the roles' gate.

Of each conversation only numbers are kept for this: what `picking.features` saw of its messages. A note that somebody
accepted or found useful says that its fix is the right one; of an edited one, the messages whose words were left in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import structlog
from sqlmodel import Session, col, select

from agent.domain import TrainingOutcome
from agent.learning.promotion import Comparison, Grades, PromotionDecision, decide
from agent.store import coordination
from agent.store.database import Database
from agent.store.writings import FIX, Verdict, Writing
from agent.writing.fit import Case, fit, grades, out_of_fold
from agent.writing.picking import Features
from agent.writing.weights import LEARNT, serving, shipped

TEACHES = (Verdict.ACCEPTED, Verdict.USEFUL, Verdict.EDITED)
KEPT_WORDS = 0.5
"""Share of the words of a message's sentences that an edited note has to keep, for the message to count as right."""
RIDGE = 10.0
"""How strongly the weights are held where they were: a desk's notes are few beside what those were fitted to."""
MOST = 2_000
"""Notes that are learnt from: the latest."""

log = structlog.get_logger()


def learn(database: Database) -> PromotionDecision | None:
    """Fit the weights to this desk's notes, and let them serve if they pick no worse; None where no note teaches."""
    cases = database.call(judged)
    if not cases:
        return None
    decision, weights = contest(cases, serving(database).message)
    log.info("note_weights", outcome=decision.outcome, reason=decision.reason)
    if decision.outcome is TrainingOutcome.PROMOTED:
        database.call(coordination.put, LEARNT, json.dumps(weights))
    return decision


def contest(cases: Sequence[Case], champion: Mapping[str, float]) -> tuple[PromotionDecision, dict[str, float]]:
    """Return whether weights fitted to these conversations may serve, and the weights.

    Each conversation is answered by weights that were fitted without it.
    """
    held = out_of_fold(cases, champion, RIDGE)
    return compared(cases, held, champion), fit(cases, RIDGE, champion)


def compared(
    cases: Sequence[Case], held: Sequence[Mapping[str, float]], champion: Mapping[str, float]
) -> PromotionDecision:
    """Return whether weights, one set for each conversation, may serve. The shipped ones stand where the rules do."""
    sides = (held, [shipped().message] * len(cases), [champion] * len(cases))
    graded = (grades(cases, side) for side in sides)
    challenger, rules, serves = (Grades(np.array(right, dtype=float), np.array(loss)) for right, loss in graded)
    return decide(Comparison(challenger, rules, serves))


def judged(session: Session) -> list[Case]:
    """Return the conversations whose notes teach, the latest last."""
    taught = (
        select(Writing).where(col(Writing.verdict).in_(TEACHES)).order_by(col(Writing.judged_at).desc()).limit(MOST)
    )
    cases = [case_of(row) for row in session.exec(taught)]
    return [case for case in reversed(cases) if case is not None and len(case.seen) > 1]


def case_of(row: Writing) -> Case | None:
    """Return a note's conversation as it is fitted to, None where nothing of it can be learnt."""
    seen: dict[int, Features] = {int(number): each for number, each in (row.seen or {}).items()}
    told: dict[int, list[str]] = {}
    for part, sentences in row.parts:
        for text, number, _ in sentences:
            if part == FIX:
                told.setdefault(number, []).extend(text.split())
    if row.said is not None:
        left = set(row.said.split())
        told = {n: words for n, words in told.items() if sum(w in left for w in words) >= KEPT_WORDS * len(words)}
    case = Case(seen, frozenset(told))
    return case if case.usable else None
