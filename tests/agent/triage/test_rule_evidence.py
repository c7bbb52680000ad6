"""Matched rules become evidence: the author's opinion first, corrected by what reviewed tickets say."""

from __future__ import annotations

import numpy as np
import pytest

from agent.triage.evidence import OwnReviews, RuleHistory, rule_evidence
from heuristics.rules import Hit, Kind, Scope

ROLES = ("Plumbing", "Network", "Access")
BASE = np.array([0.5, 0.3, 0.2])


def hit(rule_id: str, role: str, weight: float = 2.0, kind: Kind = Kind.VOTE) -> Hit:
    return Hit(rule_id, role, kind, weight, Scope.BODY, 0, 4, "leak")


def one_hot(*columns: int) -> np.ndarray:
    return np.eye(len(ROLES))[list(columns)]


def test_a_rule_without_a_record_says_what_its_author_says() -> None:
    evidence, _ = rule_evidence([[hit("leak", "Plumbing", 1.5)]], ROLES, BASE, RuleHistory())
    odds = np.exp(evidence[0]) * BASE
    assert np.log(odds[0] / odds[1]) - np.log(BASE[0] / BASE[1]) == pytest.approx(1.5)


def test_a_rule_that_keeps_matching_another_role_ends_up_speaking_for_that_role() -> None:
    history = RuleHistory.of([[hit("port", "Plumbing")]] * 12, one_hot(*[1] * 12))
    evidence, _ = rule_evidence([[hit("port", "Plumbing")]], ROLES, BASE, history)
    assert evidence[0].argmax() == 1
    assert evidence[0, 0] < 0


def test_a_ticket_in_the_record_is_judged_as_if_it_had_never_been_reviewed() -> None:
    labels = one_hot(0)
    history = RuleHistory.of([[hit("leak", "Plumbing")]], labels)
    left_out, _ = rule_evidence(
        [[hit("leak", "Plumbing")]], ROLES, BASE, history, own=OwnReviews(labels, np.ones(len(labels)))
    )
    unrecorded, _ = rule_evidence([[hit("leak", "Plumbing")]], ROLES, BASE, RuleHistory())
    assert left_out == pytest.approx(unrecorded)


def test_a_rule_counts_once_however_often_it_matches() -> None:
    once, _ = rule_evidence([[hit("leak", "Plumbing")]], ROLES, BASE, RuleHistory())
    thrice, _ = rule_evidence([[hit("leak", "Plumbing")] * 3], ROLES, BASE, RuleHistory())
    assert thrice == pytest.approx(once)


def test_a_veto_is_reported_and_is_no_vote() -> None:
    evidence, vetoed = rule_evidence([[hit("no-net", "Network", 0.0, Kind.VETO)]], ROLES, BASE, RuleHistory())
    assert vetoed.tolist() == [[False, True, False]]
    assert not evidence.any()


def test_a_rule_for_an_unknown_role_says_nothing() -> None:
    evidence, vetoed = rule_evidence([[hit("x", "Nobody")], []], ROLES, BASE, RuleHistory())
    assert not evidence.any()
    assert not vetoed.any()


def test_a_role_newer_than_the_record_can_still_be_voted_for() -> None:
    history = RuleHistory.of([[hit("leak", "Plumbing")]], np.array([[1.0, 0.0]]))
    evidence, _ = rule_evidence([[hit("leak", "Plumbing")], [hit("badge", "Access")]], ROLES, BASE, history)
    assert evidence[0, 0] > 0
    assert evidence[1, 2] > 0


def test_on_a_multi_label_desk_a_vote_for_one_role_leaves_the_others_where_they_were() -> None:
    base = np.array([0.5, 0.3, 0.2])
    evidence, _ = rule_evidence([[hit("leak", "Plumbing", 1.0)]], ROLES, base, RuleHistory(), multi_label=True)
    assert evidence[0] == pytest.approx([1.0, 0.0, 0.0])


def test_weak_reviews_count_for_less() -> None:
    trusted = RuleHistory.of([[hit("leak", "Plumbing")]], one_hot(1))
    weak = RuleHistory.of([[hit("leak", "Plumbing")]], one_hot(1), np.array([0.4]))
    assert weak.hits["leak"] < trusted.hits["leak"]


def test_the_record_survives_the_artefact() -> None:
    history = RuleHistory.of([[hit("leak", "Plumbing")], [hit("port", "Network")]], one_hot(0, 1))
    back = RuleHistory.from_arrays({**history.to_arrays(), "something.else": np.zeros(3)})
    assert back.hits == history.hits
    assert {rule: counts.tolist() for rule, counts in back.by_role.items()} == {"leak": [1, 0, 0], "port": [0, 1, 0]}
