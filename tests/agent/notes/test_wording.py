"""The comment is read in two seconds, and nothing from a ticket can act in it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from agent.domain import Band
from agent.notes import wording
from agent.triage.cutoffs import Abstained, Reason, Verdict
from agent.triage.memory import Neighbour
from agent.triage.opinion import Opinion
from connectors.base import Markup
from connectors.markup import EXCERPT_LENGTH, excerpt, render
from connectors.note import Span, Style
from heuristics import Hit, Kind, Scope

ROLES = ("Network", "Electrician", "Plumbing")


def hit(phrase: str, role: str = "Network", weight: float = 1.0) -> Hit:
    return Hit(phrase, role, Kind.VOTE, weight, Scope.ANY, 0, len(phrase), phrase)


def opinion(verdict: Verdict | Abstained, *hits: Hit, neighbours: tuple[Neighbour, ...] = ()) -> Opinion:
    return Opinion(verdict, ROLES, np.array([0.5, 0.3, 0.2]), hits, neighbours, "rules", "model")


def said(opinion: Opinion, subjects: Mapping[str, str] | None = None) -> str:
    """Return the note on the opinion as Markdown."""
    note = wording.of_opinion(opinion, subjects or {})
    assert note is not None
    return render(note, Markup.MARKDOWN)


SURE = Verdict(("Network",), Band.SURE, 0.97, asserted=True)
GUESS = Verdict(("Network",), Band.GUESS, 0.5, asserted=False)


def test_the_first_line_says_role_and_confidence() -> None:
    assert said(opinion(SURE, hit("VPN"))).splitlines()[0] == "**Role: Network** (sure)"


def test_a_guess_says_that_it_is_one_and_names_the_runner_up() -> None:
    assert said(opinion(GUESS)).splitlines()[0] == "**Role: not sure, perhaps Network or Electrician**"


def test_two_roles_are_named_together() -> None:
    both = Verdict(("Network", "Electrician"), Band.LIKELY, 0.8, asserted=True)
    assert said(opinion(both)).startswith("**Role: Network and Electrician** (likely)")


def test_reasons_are_the_weightiest_phrases_and_similar_reviewed_tickets() -> None:
    hits = (hit("oil", weight=0.5), hit("Oil leak", weight=2.0), hit("LEAK"), hit("bulb", "Electrician", 3.0))
    near = (Neighbour("a:1", 0.9, ("Network",)), Neighbour("a:2", 0.8, ("Electrician",)))
    text = said(opinion(SURE, *hits, neighbours=near), {"a:1": "oil leak at pump", "a:2": "no light"})
    assert "Why: it says `oil leak`; reviewed before: `oil leak at pump` (Network)." in text


def test_silence_is_none_unless_a_command_wants_an_answer() -> None:
    silent = Abstained(Reason.TOO_UNSURE, "Network", 0.2)
    assert wording.of_opinion(opinion(silent), {}) is None
    answer = wording.unknown_role("x", ["y", "z"], ["y", "z", "a"])
    note = wording.of_opinion(opinion(silent), {}, answer)
    assert note is not None
    assert render(note, Markup.MARKDOWN) == "I know no role `x`. Did you mean y or z?"


def test_an_answer_to_a_command_is_the_notes_headline_and_stands_below_the_role() -> None:
    answer = wording.unknown_role("x", [], ["y", "z"])
    note = wording.of_opinion(opinion(SURE), {}, answer)
    assert note is not None
    assert wording.headline(note) == answer
    assert [section.kind for section in note.sections] == ["role", "answer", "commands"]
    assert wording.headline(wording.reviewed(["Network"], "confirmed")) == (
        Span("Role: ", Style.STRONG),
        Span("Network", Style.STRONG),
        Span(" ("),
        Span("confirmed"),
        Span(" by staff)"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "`` ` ```",
        "a\n\n# heading\n<script>",
        "[x](javascript:alert(1))",
        "@everyone #12",
        "\u202eevil\u0000",
        "x" * 10_000,
        " \n",
    ],
)
def test_words_of_a_ticket_stay_one_short_code_span(text: str) -> None:
    span = excerpt(text)
    assert span.style is Style.CODE
    assert "`" not in span.text
    assert 0 < len(span.text) <= EXCERPT_LENGTH
    assert span.text.isprintable()


def test_values_are_put_into_a_sentence_as_they_are() -> None:
    assert wording.worded("**{a}** `b` {c}", a="`{c}` **x**", c="{a}") == (
        Span("`{c}` **x**", Style.STRONG),
        Span(" "),
        Span("b", Style.CODE),
        Span(" "),
        Span("{a}"),
    )
