"""What picks the message with the solution follows what people accept and edit, if it picks no worse for that."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agent.core import Parts
from agent.domain import TrainingOutcome
from agent.store import coordination, writings
from agent.store.tables import utcnow
from agent.store.writings import Verdict, Writing
from agent.writing import learnt
from agent.writing.fit import Case
from agent.writing.weights import LEARNT, serving, shipped

HABIT = "code"
"""A feature to which the shipped weights give nothing: on this desk, what helps has code in it."""


def habitual(count: int, *, noise: bool = False) -> list[Case]:
    """Return conversations of three answers; the right one is that with code in it, or any where all is noise."""
    draw = np.random.default_rng(0)
    cases = []
    for _ in range(count):
        right = int(draw.integers(3)) + 2
        told = int(draw.integers(3)) + 2 if noise else right
        cases.append(Case({n: {"last": float(n == 4), HABIT: float(n == right)} for n in (2, 3, 4)}, frozenset({told})))
    return cases


def row(number: int, case: Case, verdict: Verdict | None, said: str | None = None) -> Writing:
    (marked,) = case.marked
    return Writing(
        ticket_key=f"desk:{number}", kind="closure", at=utcnow(), outcome="fixed", writer="x", digest="x", shown=True,
        parts=[["problem", [["it fails", 1, None]]], ["fix", [["I replaced the drum.", marked, None]]]],
        verdict=verdict, judged_by="Kim", judged_at=utcnow(), said=said, seen={str(n): f for n, f in case.seen.items()},
    )  # fmt: skip


@pytest.mark.parametrize(("count", "outcome"), [(80, TrainingOutcome.PROMOTED), (20, TrainingOutcome.UNDECIDED)])
def test_a_habit_of_the_desk_is_learnt_from_enough_notes(count: int, outcome: TrainingOutcome) -> None:
    decision, weights = learnt.contest(habitual(count), shipped().message)
    assert decision.outcome is outcome, decision.reason
    assert weights[HABIT] > shipped().message[HABIT]


def test_control_weights_that_pick_worse_do_not_serve() -> None:
    cases = habitual(80)
    decision = learnt.compared(cases, [shipped().message] * 80, {HABIT: 5.0})
    assert decision.outcome is TrainingOutcome.KEPT
    assert decision.numbers["accuracy"] < decision.numbers["accuracy_champion"] == 1.0


def test_what_people_made_of_notes_serves_after_the_night(parts_for: Callable[..., Parts]) -> None:
    database = parts_for().database
    assert learnt.learn(database) is None
    for number, case in enumerate(habitual(80)):
        verdict = (Verdict.ACCEPTED, Verdict.USEFUL, Verdict.EDITED)[number % 3]
        said = "Fix: I replaced the drum. It was worn." if verdict is Verdict.EDITED else None
        database.call(writings.put, row(number, case, verdict, said))
    for number, case in enumerate(habitual(80, noise=True), start=80):
        database.call(writings.put, row(number, case, (Verdict.WRONG, Verdict.DISCARDED, None)[number % 3]))
    decision = learnt.learn(database)
    assert decision is not None
    assert decision.outcome is TrainingOutcome.PROMOTED
    assert decision.numbers["tickets"] == 80
    assert serving(database).message[HABIT] > shipped().message[HABIT]
    assert serving(database).sentence == shipped().sentence
    database.call(coordination.put, LEARNT, None)
    assert serving(database) == shipped()


def test_an_edited_note_teaches_only_what_was_left_of_it() -> None:
    (case,) = habitual(1)
    left = learnt.case_of(row(1, case, Verdict.EDITED, "Fix: I replaced the drum"))
    assert left is not None
    assert left.marked == case.marked
    assert learnt.case_of(row(1, case, Verdict.EDITED, "Fix: somebody rebooted it")) is None
