"""Mined rules point to the roles that their texts were given, and nothing else."""

from datetime import date
from pathlib import Path

import pytest

from agent.config.rules_file import load_rules
from heuristics import Rule, RuleSet, leading_role, tally
from heuristics.mining import propose, to_toml

PUMPS = ["main pump leaks", "two pumps noisy", "pump 3 leaks oil", "swing pump hot", "pump will not prime"]
LIGHTS = ["work light out", "lights flicker", "L/H light broken", "step light hot", "cab light out 4411"]
TEXTS, ROLES = PUMPS + LIGHTS, ["Hydraulics"] * len(PUMPS) + ["Electrical"] * len(LIGHTS)
TODAY = date(2024, 5, 17)


def keywords(rules: tuple[Rule, ...], role: str) -> set[str]:
    return {keyword for rule in rules if rule.role == role for keyword in rule.keywords}


def test_words_that_tell_roles_apart_are_proposed_singular_and_plural_as_one() -> None:
    rules = propose(TEXTS, ROLES)
    assert "pump" in keywords(rules, "Hydraulics")
    assert "light" in keywords(rules, "Electrical")
    assert not keywords(rules, "Hydraulics") & {"pumps", "hot", "light"}


def test_words_seen_in_too_few_texts_or_in_both_roles_alike_are_not_proposed() -> None:
    found = {keyword for rule in propose(TEXTS, ROLES, min_support=3) for keyword in rule.keywords}
    assert found == {"pump", "light"}


def test_words_that_only_join_others_are_not_proposed() -> None:
    texts = [
        "no hay red desde ayer",
        "no hay red en la sala",
        "la red va mal desde hoy",
        "mi cuenta",
        "mi clave",
        "mi usuario",
    ]
    said = {keyword for rule in propose(texts, ["Redes"] * 3 + ["Cuentas"] * 3) for keyword in rule.keywords}
    assert "red" in said
    assert not said & {"mi", "desde", "no hay", "la"}


def test_a_word_in_half_of_whose_texts_another_role_is_right_is_not_proposed() -> None:
    halves = [f"hose {word}" for word in ("one", "two", "four", "five", "seven", "eight", "nine", "ten")]
    others = [f"else {chr(n)}{chr(n)}" for n in range(97, 121)]
    roles = ["Hydraulics"] * 4 + ["Cabin"] * 28
    assert "hose" not in keywords(propose(halves + others, roles), "Hydraulics")
    assert "hose" in keywords(propose(halves + others, ["Hydraulics"] * 5 + roles[5:]), "Hydraulics")


def test_a_word_that_says_no_more_than_most_tickets_do_anyway_is_not_proposed() -> None:
    texts = [f"unit {chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(60)]
    assert "unit" not in keywords(propose([*texts, "lamp out"], ["Hydraulics"] * 60 + ["Cabin"]), "Hydraulics")


def test_a_letter_alone_and_a_number_are_no_words() -> None:
    texts = [*(f"x 7 {word}" for word in ("aa", "bb", "cc", "dd")), *(f"y 8 {word}" for word in ("ee", "ff", "gg"))]
    said = {keyword for rule in propose(texts, ["A"] * 4 + ["B"] * 3) for keyword in rule.keywords}
    assert said == set()


def test_a_text_filed_many_times_counts_once() -> None:
    rules = propose([*TEXTS, *["pothole"] * 20], [*ROLES, *["Hydraulics"] * 20])
    assert "pothole" not in keywords(rules, "Hydraulics")


def test_a_phrase_is_proposed_only_where_it_says_more_than_its_words() -> None:
    texts = [*["door switch " + word for word in "abcde"], *["door " + word for word in "fghij"]]
    texts += ["switch " + word for word in "klmno"]
    rules = propose(texts, ["Cabin"] * 5 + ["Structure"] * 5 + ["Electrical"] * 5)
    assert "door switch" in keywords(rules, "Cabin")
    assert "main pump" not in keywords(propose(TEXTS, ROLES), "Hydraulics")


def test_weights_grow_with_evidence_and_are_the_rise_in_log_odds() -> None:
    few = propose(TEXTS[:3] + TEXTS[5:8], ROLES[:3] + ROLES[5:8])
    many = propose(TEXTS, ROLES)
    assert 0 < max(rule.weight for rule in few) < max(rule.weight for rule in many)
    pump = next(rule for rule in many if rule.keywords == ("pump",))
    assert pump.weight == pytest.approx(1.7918, abs=1e-4)  # ln((5 + 1) / 1), base rate one half


def test_the_result_does_not_depend_on_the_order_of_texts() -> None:
    assert propose(TEXTS[::-1], ROLES[::-1]) == propose(TEXTS, ROLES)


def test_mined_rules_decide_the_texts_they_came_from() -> None:
    rules = RuleSet(propose(TEXTS, ROLES))
    assert [leading_role(rules.match(text, "", TODAY)) for text in TEXTS] == ROLES


@pytest.mark.parametrize(("texts", "roles"), [([], []), (["one text"], ["R"]), (["a b", "c d"], ["R", "R"])])
def test_nothing_is_proposed_where_nothing_can_be_told_apart(texts: list[str], roles: list[str]) -> None:
    assert propose(texts, roles) == ()


def test_texts_and_roles_must_go_in_pairs() -> None:
    with pytest.raises(ValueError, match="shorter"):
        propose(["one", "two"], ["R"])


def test_proposals_written_as_toml_are_read_back_with_the_same_verdicts(tmp_path: Path) -> None:
    mined = propose([*TEXTS, 'Brücke "7"', "Brücke neu"], [*ROLES, 'The "old" crew', 'The "old" crew'])
    (tmp_path / "mined.toml").write_text(to_toml(mined), encoding="utf-8")
    loaded = load_rules(tmp_path / "mined.toml")
    assert len(loaded.rules) == len(mined)
    for text in [*TEXTS, "brücke"]:
        assert tally(loaded.match(text, "", TODAY)) == pytest.approx(
            tally(RuleSet(mined).match(text, "", TODAY)), abs=0.02
        )
