"""`rolecall check` names what can never hit, and what hits and never counts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agent.checks.rules import idle
from agent.config.rules_file import load_rules
from heuristics import Kind, Rule, RuleSet

TODAY = date(2026, 11, 30)
ROOT = Path(__file__).parents[3]


def why(*rules: Rule) -> dict[str, str]:
    return dict(idle(RuleSet(rules), TODAY))


@pytest.mark.parametrize(
    "keyword",
    ["vpn", "*drucker", "leak*", "*pump*", "no light", "Wi-Fi", "漏油", "दरवाज़ा", "a_b", "can't log in", "404", "über"],
)
def test_a_keyword_that_a_ticket_can_say_is_no_finding(keyword: str) -> None:
    assert why(Rule("one", "Network", keywords=(keyword,))) == {}


@pytest.mark.parametrize("keyword", ["<br> line", "<b>"])
def test_a_keyword_that_no_ticket_can_say_is_named(keyword: str) -> None:
    told = why(Rule("one", "Network", keywords=("vpn", keyword)))
    assert f"`{keyword}` can never hit" in told["one"]


@pytest.mark.parametrize(("keyword", "named"), [("C++", True), ("c# app", True), ("R&D", False), ("tel.+49", False)])
def test_a_keyword_that_is_another_word_without_its_signs_is_named(keyword: str, named: bool) -> None:
    told = why(Rule("one", "Network", keywords=("vpn", keyword)))
    assert (f"`{keyword}` hits without these signs" in told.get("one", "")) is named


@pytest.mark.parametrize(
    ("keyword", "named"),
    [("vpn, wlan", True), ("vpn,wlan", True), ("vpn;wlan", True), ("vpn | wlan", True), ("3,5 mm", False)],
)
def test_several_keywords_in_one_are_named(keyword: str, named: bool) -> None:
    told = why(Rule("one", "Network", keywords=("lan", keyword)))
    assert (f"`{keyword}` hits where all of this stands together" in told.get("one", "")) is named


def test_a_pattern_of_markup_is_named() -> None:
    assert "`<b>vpn` can never hit" in why(Rule("one", "Network", patterns=("<b>vpn", "vp+n")))["one"]
    assert why(Rule("one", "Network", patterns=("(?P<x>vp+n)", r"R&D", "a<b"))) == {}


def test_a_rule_whose_time_is_over_is_named_and_one_to_come_is_not() -> None:
    past, coming = date(2026, 11, 29), date(2026, 12, 24)
    assert "over on 2026-11-29" in why(Rule("one", "Network", keywords=("vpn",), active_until=past))["one"]
    assert why(Rule("one", "Network", keywords=("vpn",), active_from=coming)) == {}


def test_a_vote_that_a_veto_always_undoes_is_named() -> None:
    vote = Rule("vpn", "Network", keywords=("vpn is down",))
    veto = Rule("not-net", "Network", Kind.VETO, 0.0, keywords=("vpn",))
    assert why(vote, veto) == {"vpn": "it never counts: `not-net` rules out Network wherever it hits"}
    assert why(Rule("vpn", "Network", keywords=("vpn", "router")), veto) == {}


def test_two_votes_that_cancel_each_other_are_named() -> None:
    one, other = Rule("a", "Network", keywords=("vpn",)), Rule("b", "Access", keywords=("vpn",))
    assert set(why(one, other)) == {"a", "b"}
    assert why(one, Rule("b", "Access", weight=2.0, keywords=("vpn",))) == {}
    assert why(one, Rule("b", "Network", keywords=("vpn",))) == {}


@pytest.mark.parametrize(
    "file", ["config/rules.toml", "config/starters/it/rules.toml", "config/starters/facilities/rules.toml"]
)
def test_the_shipped_rules_have_none(file: str) -> None:
    assert dict(idle(load_rules(ROOT / file), TODAY)) == {}
