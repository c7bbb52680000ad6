"""The comment is read in two seconds, and nothing from a ticket can act in it."""

from __future__ import annotations

import numpy as np
import pytest

from agent.domain import Band
from agent.triage import wording
from agent.triage.abstention import Abstained, Reason, Verdict
from agent.triage.memory import Neighbour
from agent.triage.opinion import Opinion
from heuristics import Hit, Kind, Scope

ROLES = ("Network", "Electrician", "Plumbing")


def hit(phrase: str, role: str = "Network", weight: float = 1.0) -> Hit:
    return Hit(phrase, role, Kind.VOTE, weight, Scope.ANY, 0, len(phrase), phrase)


def opinion(verdict: Verdict | Abstained, *hits: Hit, neighbours: tuple[Neighbour, ...] = ()) -> Opinion:
    return Opinion(verdict, ROLES, np.array([0.5, 0.3, 0.2]), hits, neighbours, "rules", "model")


SURE = Verdict(("Network",), Band.SURE, 0.97, asserted=True)
GUESS = Verdict(("Network",), Band.GUESS, 0.5, asserted=False)


def test_the_first_line_says_role_and_confidence() -> None:
    assert wording.comment(opinion(SURE, hit("VPN")), {}).splitlines()[0] == "**Role: Network** (sure)"


def test_a_guess_says_that_it_is_one_and_names_the_runner_up() -> None:
    assert wording.comment(opinion(GUESS), {}).splitlines()[0] == "**Role: not sure, perhaps Network or Electrician**"


def test_two_roles_are_named_together() -> None:
    both = Verdict(("Network", "Electrician"), Band.LIKELY, 0.8, asserted=True)
    assert wording.comment(opinion(both), {}).startswith("**Role: Network and Electrician** (likely)")


def test_reasons_are_the_weightiest_phrases_and_similar_reviewed_tickets() -> None:
    hits = (hit("oil", weight=0.5), hit("Oil leak", weight=2.0), hit("LEAK"), hit("bulb", "Electrician", 3.0))
    near = (Neighbour("a:1", 0.9, ("Network",)), Neighbour("a:2", 0.8, ("Electrician",)))
    text = wording.comment(opinion(SURE, *hits, neighbours=near), {"a:1": "oil leak at pump", "a:2": "no light"})
    assert "Why: it says `oil leak`; reviewed before: `oil leak at pump` (Network)." in text


def test_silence_is_none_unless_a_command_wants_an_answer() -> None:
    silent = Abstained(Reason.TOO_UNSURE, "Network", 0.2)
    assert wording.comment(opinion(silent), {}) is None
    assert wording.comment(opinion(silent), {}, note="I know no role `x`.") == "I know no role `x`."


@pytest.mark.parametrize(
    "text",
    [
        "`` ` ```",
        "a\n\n# heading\n<script>",
        "[x](javascript:alert(1))",
        "@everyone #12",
        "\u202eevil\u0000",
        "x" * 10_000,
    ],
)
def test_words_of_a_ticket_stay_one_short_code_span(text: str) -> None:
    span = wording.excerpt(text)
    assert span[0] == span[-1] == "`"
    assert "`" not in span[1:-1]
    assert len(span) <= wording.EXCERPT_LENGTH + 2
    assert span.isprintable()
