"""What may be said of a ticket: a clear suggestion that keeps the promise, an either-or, or nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from agent.domain import Reason
from agent.triage.cutoffs import NEVER, Abstained, Cutoffs, Verdict, judge

ROLES = ("Plumbing", "Network", "Access")
CUTOFFS = Cutoffs(target=0.9, default=0.7, by_role={"Plumbing": 0.8, "Network": 0.6, "Access": NEVER})


def said(*probabilities: float) -> Verdict | Abstained:
    return judge(np.array(probabilities), ROLES, CUTOFFS)


def test_an_answer_at_its_own_cutoff_is_clear_whatever_the_target() -> None:
    assert said(0.95, 0.03, 0.02) == Verdict(("Plumbing",), 0.95, clear=True)
    assert said(0.2, 0.7, 0.1) == Verdict(("Network",), 0.7, clear=True)


def test_an_answer_below_its_cutoff_is_not_clear_and_has_an_alternative_if_one_is_close() -> None:
    assert said(0.7, 0.2, 0.1) == Verdict(("Plumbing",), 0.7, clear=False)
    assert said(0.55, 0.1, 0.35) == Verdict(("Plumbing",), 0.55, clear=False, alternative="Access")


def test_a_role_that_cannot_keep_the_promise_is_never_clear() -> None:
    assert said(0.0, 0.0, 1.0) == Verdict(("Access",), 1.0, clear=False)


def test_below_the_floor_nothing_is_said_but_what_would_have_been_said_is_kept() -> None:
    assert said(0.35, 0.33, 0.32) == Abstained(Reason.UNSURE, "Plumbing", 0.35)


def test_when_every_role_is_vetoed_the_reason_says_so() -> None:
    assert said(0.0, 0.0, 0.0) == Abstained(Reason.RULED_OUT)


def test_without_roles_nothing_is_said() -> None:
    assert judge(np.zeros(0), (), CUTOFFS) == Abstained(Reason.NO_ROLE)


def test_a_role_without_a_record_uses_the_shared_cutoff_and_is_careful() -> None:
    high, low = (judge(np.array([p]), ("Newcomer",), CUTOFFS) for p in (0.77, 0.75))
    assert high == Verdict(("Newcomer",), 0.77, clear=True)
    assert low == Verdict(("Newcomer",), 0.75, clear=False), "0.75 is below 0.85 of the target"


def test_a_multi_label_desk_names_every_role_at_its_cutoff_as_likely_as_the_weakest() -> None:
    verdict = judge(np.array([0.95, 0.65, 0.5]), ROLES, replace(CUTOFFS, multi_label=True))
    assert verdict == Verdict(("Plumbing", "Network"), 0.65, clear=True)


def test_cutoffs_survive_the_artefact() -> None:
    back = Cutoffs.from_arrays(ROLES, CUTOFFS.to_arrays(ROLES))
    assert back == CUTOFFS


def test_without_cutoffs_in_the_artefact_a_role_is_clear_from_the_default_target_on() -> None:
    assert Cutoffs.from_arrays(ROLES, {}).of("Plumbing") == 0.9
