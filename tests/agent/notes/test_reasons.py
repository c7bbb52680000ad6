"""Where nothing is suggested, a sentence says why, and what would help."""

from __future__ import annotations

import numpy as np
import pytest

from agent.domain import Reason
from agent.notes.reasons import SENTENCES, why_none
from agent.triage.cutoffs import Abstained, Cutoffs
from agent.triage.evidence import Evidence
from agent.triage.fusion import Fusion
from agent.triage.opinion import Grounds, Opinion
from heuristics import Hit, Kind, Scope

BARRED = Hit("second-reminder", "Network", Kind.VETO, 0, Scope.ANY, 0, 8, "reminder")
GROUNDS = Grounds(Evidence(np.ones(1)), Fusion.untrained(("Network",)), Cutoffs(), None)
VOTED = Hit("vpn", "Network", Kind.VOTE, 1, Scope.ANY, 9, 12, "VPN")


def why(verdict: Abstained) -> str:
    opinion = Opinion(verdict, ("Network",), np.zeros(1), (BARRED, VOTED), (), "rules", None, GROUNDS)
    return why_none(opinion, verdict)


def test_every_reason_has_a_sentence() -> None:
    assert SENTENCES.keys() == set(Reason)


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        (Abstained(Reason.UNSURE, "Network", 0.31), "No role is likely enough: best is Network, 31 %. Give the"),
        (Abstained(Reason.RULED_OUT), "Rules rule out every role (second-reminder). Look at"),
        (
            Abstained(Reason.UNTAUGHT),
            "No model yet, no rule hits, and no reviewed ticket is like it. Write a rule",
        ),
        (Abstained(Reason.HARDLY_ANY_TEXT), "It has hardly any text of its own. Ask whoever filed it"),
        (Abstained(Reason.CLOSED), "It was closed before Rolecall looked."),
    ],
)
def test_the_sentence_has_what_it_needs_to_know(verdict: Abstained, sentence: str) -> None:
    assert why(verdict).startswith(sentence)
