"""A role that no reviewed ticket has is asked about where its description fits; it costs nobody a right answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from agent.core import Parts
from agent.domain import Outcome, Role
from agent.notes.explaining import explained
from agent.triage.cutoffs import Cutoffs, Verdict, judge
from agent.triage.described import LEAST, Described, asking, described
from agent.triage.evidence import Floats
from agent.triage.explanation import explain
from agent.triage.opinion import leaves_room
from heuristics import Kind, Rule, RuleSet
from tests.agent.conftest import quick
from tests.conftest import TICKETS

ROLES = ("Network", "Hardware", "Payroll", "Access", "Doors")
ON = date(2026, 1, 5)
CUTOFFS = Cutoffs(0.9, 0.8, silent_below=0.4)
PAYROLL = '\n[[role]]\nname = "Payroll"\ndescription = "Salaries, payslips, wages paid late, overtime pay"\n'
PAID_LATE = "My salary was paid late and the payslip lacks the overtime pay"


def known() -> np.ndarray:
    """Return remembered tickets that are like the first two descriptions, in turn, and a little like the third."""
    noise = np.random.default_rng(0).normal(0, 0.05, (LEAST, 3))
    return (np.eye(3)[[n % 2 for n in range(LEAST)]] + noise).astype(np.float32)


def test_the_description_that_fits_far_better_than_usual_is_named_and_no_other() -> None:
    found = described([Role(name) for name in ROLES[:3]], np.eye(3, dtype=np.float32), known())
    assert found is not None
    assert found.fitting(np.array([0.2, 0.2, 0.6], dtype=np.float32)) == "Payroll"
    assert found.fitting(np.array([0.0, 0.9, 0.02], dtype=np.float32)) != "Payroll"
    assert found.fitting(np.array([0.5, 0.5, 0.0], dtype=np.float32)) is None


@pytest.mark.parametrize(("first", "second", "fits"), [(0.6, 0.55, None), (0.6, 0.4, "Network"), (0.05, -0.5, None)])
def test_of_two_descriptions_that_fit_alike_neither_speaks(first: float, second: float, fits: str | None) -> None:
    usual = Described(("Network", "Payroll"), np.eye(2, dtype=np.float32), np.zeros(2), np.full(2, 0.1))
    assert usual.fitting(np.array([first, second], dtype=np.float32)) == fits


def test_with_few_remembered_tickets_no_description_speaks() -> None:
    assert described([Role(name) for name in ROLES[:3]], np.eye(3, dtype=np.float32), known()[1:]) is None


def test_it_takes_the_free_place_of_an_either_or() -> None:
    asked = ask([0.75, 0.25, 0.0, 0.0, 0.0])
    assert asked is not None
    moved, verdict = asked
    assert verdict == Verdict(("Network",), pytest.approx(float(moved[0])), clear=False, alternative="Payroll")
    assert moved.sum() == pytest.approx(1.0)
    assert moved[0] / moved[1] == pytest.approx(3.0)


def test_where_no_role_is_likely_enough_it_speaks_alone() -> None:
    asked = ask([0.3, 0.25, 0.0, 0.25, 0.2])
    assert asked is not None
    assert asked[1] == Verdict(("Payroll",), pytest.approx(0.5), clear=False)


@pytest.mark.parametrize("taken", [[0.85, 0.15, 0.0, 0.0, 0.0], [0.6, 0.4, 0.0, 0.0, 0.0]])
def test_what_is_clear_or_asks_about_two_roles_stays_as_it_is(taken: list[float]) -> None:
    assert not leaves_room(judge(np.array(taken), ROLES, CUTOFFS), CUTOFFS)
    assert not leaves_room(
        judge(np.array([0.75, 0.25, 0.0, 0.0, 0.0]), ROLES, CUTOFFS), replace(CUTOFFS, multi_label=True)
    )


def test_it_is_never_clear_and_speaks_against_no_setting() -> None:
    unlikely = [0.3, 0.25, 0.0, 0.25, 0.2]
    assert ask(unlikely, Cutoffs(0.4, 0.4, silent_below=0.35)) is None
    assert ask(unlikely, replace(CUTOFFS, silent_below=0.6)) is None
    assert ask([0.45, 0.2, 0.0, 0.2, 0.15]) is None  # it would make the other role fall silent


def ask(probabilities: list[float], cutoffs: Cutoffs = CUTOFFS) -> tuple[Floats, Verdict] | None:
    given = np.array(probabilities)
    verdict = judge(given, ROLES, cutoffs)
    assert leaves_room(verdict, cutoffs)
    return asking(verdict, given, ROLES, "Payroll", cutoffs)


@pytest.fixture
def with_payroll(trained: Parts, parts_for: Callable[..., Parts], tmp_path: Path) -> Parts:
    """Assemble the trained installation after its operator added a role."""
    (tmp_path / "roles.toml").write_text((TICKETS / "roles.toml").read_text() + PAYROLL)
    return parts_for(**{**quick(), "triage": {"silent_below": 0.4}}, roles=tmp_path / "roles.toml")


@pytest.mark.xdist_group("trained")
def test_a_new_role_is_asked_about_and_the_explanation_says_why(with_payroll: Parts, trained: Parts) -> None:
    opinion = with_payroll.classifier.opinion(PAID_LATE, "", ON)
    assert (opinion.outcome, opinion.suggested) == (Outcome.EITHER_OR, ("Payroll",))
    told = explained(explain(opinion), {}, with_payroll.classifier.catalogue.roles)
    said = ["".join(span.text for span in paragraph) for paragraph in told]
    assert any(line.startswith("Payroll: its description 50 %") for line in said), said
    before = replace(trained.classifier, settings=with_payroll.classifier.settings).opinion(PAID_LATE, "", ON)
    assert before.grounds.described is None
    vpn = with_payroll.classifier.opinion("The VPN drops every morning", "", ON)
    assert (vpn.outcome, vpn.suggested, vpn.grounds.described) == (Outcome.CLEAR, ("Network",), None)
    veto = RuleSet([Rule("not-pay", "Payroll", Kind.VETO, 0.0, keywords=("salary",))])
    ruled_out = replace(with_payroll.classifier, rules=veto).opinion(PAID_LATE, "", ON)
    assert (ruled_out.grounds.described, "Payroll" in ruled_out.suggested) == (None, False)
