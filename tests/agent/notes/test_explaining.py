"""A person who asks why reads rules, similar tickets, model and threshold in one and the same wording everywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from agent.core import Parts
from agent.notes.explaining import explained
from agent.notes.phrasing import percents_apart
from agent.store import tickets
from agent.triage.explanation import Voice, explain
from connectors.base import Markup
from connectors.markup import render
from connectors.note import Note, Section, SectionKind

TODAY = date(2026, 1, 5)


def why(parts: Parts, text: str) -> list[str]:
    """Return the paragraphs of the explanation as Markdown."""
    opinion = parts.classifier.opinion(text, "", TODAY)
    subjects = parts.database.call(tickets.subjects, [near.ticket_key for near in opinion.neighbours])
    said = explained(explain(opinion), subjects, parts.classifier.catalogue.roles)
    return render(Note((Section(SectionKind.ANSWER, said),)), Markup.MARKDOWN).split("\n\n")


def test_rules_alone_say_what_hit_with_which_weight_and_that_no_model_has_a_record(parts: Parts) -> None:
    told = why(parts, "VPN is down")
    assert told[0].startswith(("Clear: ", "Either-or, not clear: Network has "))
    assert told[1].startswith("Network: rules ")
    assert "Rule `vpn`, weight 2.5, speaks for Network: it found `vpn`." in " ".join(told)
    assert "No similar ticket with a known role." in told
    assert any(line.startswith("Network is clear from 90 %, the precision asked for") for line in told)
    assert told[-1].startswith("No model yet: rules and similar tickets decide")


def test_no_suggestion_says_why_and_what_would_help(parts: Parts) -> None:
    told = why(parts, "the door is stuck")
    assert told[0].startswith(
        "No suggestion. No model yet, no rule hits, and no reviewed ticket is like it. Write a rule"
    )
    assert "No rule hit." in told


@pytest.mark.xdist_group("trained")
def test_a_trained_desk_shows_each_voice_the_rules_record_and_the_roles_own_threshold(trained: Parts) -> None:
    told = why(trained, "VPN is down since the update")
    opinion = trained.classifier.opinion("VPN is down since the update", "", TODAY)
    explanation = explain(opinion)
    best = explanation.roles[0]
    assert set(best.alone) == set(Voice) - {Voice.DESCRIPTION}
    assert told[1].startswith(f"{best.role}: rules ")
    assert ", similar tickets " in told[1]
    assert ", model " in told[1]
    assert any("with known roles." in line and line.startswith("Rule ") for line in told)
    assert any(line.startswith("Similar tickets: ") for line in told)
    assert any(f"{best.role} is " in line and " of 100 are asked for" in line for line in told)
    assert told[-1].startswith(f"Model {opinion.model_version}")


@pytest.mark.xdist_group("trained")
def test_what_each_voice_says_alone_is_a_probability_and_their_leader_is_told_where_it_is_overruled(
    trained: Parts,
) -> None:
    explanation = explain(trained.classifier.opinion("VPN is down", "", TODAY))
    for voice in set(Voice) - {Voice.DESCRIPTION}:
        assert sum(role.alone[voice] for role in explanation.roles) == pytest.approx(1)
    assert explanation.leader(Voice.RULES) == "Network"


@pytest.mark.xdist_group("trained")
def test_what_is_clear_says_what_it_has_and_needs(trained: Parts) -> None:
    best = explain(trained.classifier.opinion("VPN is down since the update", "", TODAY)).roles[0]
    assert best.threshold.confidence is not None
    has, needs = percents_apart(best.confidence, best.threshold.confidence)
    assert why(trained, "VPN is down since the update")[0] == f"Clear: {best.role} has {has} and needs {needs}."


@pytest.mark.parametrize(("rest", "most"), [(0.004, "1 %"), (0.08, "8 %")])
def test_roles_that_are_only_counted_have_a_bound(parts: Parts, rest: float, most: str) -> None:
    explanation = explain(parts.classifier.opinion("VPN is down", "", TODAY))
    roles = tuple(replace(explanation.roles[0], confidence=share) for share in (0.7, 0.1, 0.09, rest, rest / 2))
    told = render(
        Note((Section(SectionKind.ANSWER, explained(replace(explanation, roles=roles), {})),)), Markup.MARKDOWN
    )
    assert f"Other roles: 2, none above {most}." in told


@pytest.mark.parametrize(
    ("pair", "shown"),
    [
        ((0.94, 0.86), ("94 %", "86 %")),
        ((0.982, 0.984), ("98.2 %", "98.4 %")),
        ((0.9, 0.9), ("90 %", "90 %")),
        ((0.98212, 0.98234), ("98.21 %", "98.23 %")),
    ],
)
def test_two_confidences_that_differ_are_never_shown_as_equal(
    pair: tuple[float, float], shown: tuple[str, str]
) -> None:
    assert percents_apart(*pair) == shown


def test_where_the_rules_alone_say_another_role_than_what_hit_speaks_for_it_is_said_why(parts: Parts) -> None:
    found = explain(parts.classifier.opinion("VPN is down", "", TODAY))
    voted, other = found.roles[0], found.roles[1]
    turned = [replace(voted, alone={Voice.RULES: 0.2}), replace(other, alone={Voice.RULES: 0.7})]
    told = [
        "".join(span.text for span in line)
        for line in explained(replace(found, roles=(*turned, *found.roles[2:])), {}, parts.classifier.catalogue.roles)
    ]
    assert any(f"The rules alone say {other.role}, although what hit speaks for {voted.role}" in line for line in told)
    plain = ["".join(span.text for span in line) for line in explained(found, {}, parts.classifier.catalogue.roles)]
    assert not any("although what hit" in line for line in plain)
