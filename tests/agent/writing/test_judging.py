"""The judge counts what a note shows, and the weights learn which message people marked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.errors import BadInput
from agent.writing.fit import Case, best, cross_validated, fit
from agent.writing.judging import Annotated, judge, read, rouge_l, summed
from tests.tickets.annotated import LATER, TRAPS, annotated

TICKET = {
    "id": "1",
    "language": "en",
    "subject": "printer",
    "messages": [
        {"author": "requester", "text": "The printer on floor 2 does not print since this morning."},
        {"author": "staff", "text": "Please switch it off and on."},
        {"author": "requester", "text": "Still not printing."},
        {"author": "staff", "text": "The drum was worn. I replaced the drum."},
        {"author": "requester", "text": "Works again, thanks!"},
    ],
    "solution": ["3"],
    "evidence": ["The drum was worn.", "I replaced the drum."],
    "forbidden": ["switch it off and on"],
    "outcome": "fixed",
    "reference": "The drum was worn. I replaced the drum.",
}


def test_a_good_note_has_all_the_evidence_and_nothing_forbidden() -> None:
    found = judge(Annotated.model_validate(TICKET))
    assert (found.picked, found.hits, found.forbidden, found.verbatim, found.outcome) == (True, 2, False, True, True)
    assert found.subject is not None
    assert "printer" in found.subject


def test_what_is_forbidden_counts_where_it_is_claimed() -> None:
    claimed = judge(Annotated.model_validate(TICKET | {"forbidden": ["replaced the drum"]}))
    assert claimed.forbidden
    told = judge(Annotated.model_validate(TICKET | {"injected": ["switch it off"]}))
    assert told.forbidden, "an order may stand nowhere, not even among what was tried"


SETS = ("first", "second", *LATER)
SOLVED = dict(zip(SETS, (0.84, 0.66, 0.80, 0.60, 0.87, 0.85, 0.63, 0.64, 0.63, 0.47, 0.42), strict=True))
"""Least share of the solved tickets of each set that are called so."""


@pytest.mark.parametrize("part", SETS)
def test_every_part_of_the_annotated_tickets_is_written_well(part: str) -> None:
    total = summed([judge(ticket) for ticket in annotated(part)])
    assert total.tickets >= 20
    assert (total.forbidden, total.invented, total.faithful) == (0, 0, 1.0)
    assert total.evidence is not None
    assert total.evidence >= 0.80
    assert total.solved is not None
    assert total.solved >= SOLVED[part], "a solved ticket is no longer called so"
    assert total.words_most <= 60


def test_traps_are_told_from_fixes_but_for_a_crumb_and_another_ones_ticket() -> None:
    """Of 45 without a fix: "better than nothing, thx" for another thing, twice being put on another's ticket."""
    told = [judge(ticket) for ticket in read(TRAPS)]
    assert [each.ticket.id for each in told if each.invented] == ["L15", "L25", "M02"]
    assert [each.ticket.id for each in told if each.forbidden] == []
    assert summed(told).evidence == pytest.approx(0.93, abs=0.07)


def test_a_faulty_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "some.jsonl"
    file.write_text(json.dumps(TICKET) + "\n" + json.dumps({"messages": [{"author": "boss", "text": "x"}]}) + "\n")
    with pytest.raises(BadInput, match=r"some\.jsonl:2: messages\.0\.author"):
        list(read(file))


def test_the_command_shows_the_figures(tmp_path: Path) -> None:
    file = tmp_path / "some.jsonl"
    file.write_text(json.dumps(TICKET) + "\n")
    result = CliRunner().invoke(app, ["evaluate", "writing", str(file)])
    assert result.exit_code == 0, result.output
    assert "1 conversations" in result.output
    empty = tmp_path / "none.jsonl"
    empty.write_text("\n")
    assert CliRunner().invoke(app, ["evaluate", "writing", str(empty)]).exit_code != 0


def test_rouge_is_the_share_of_words_in_the_same_order() -> None:
    assert rouge_l("the drum was worn", "the drum was worn") == 1.0
    assert rouge_l("worn", "the drum was worn") == pytest.approx(0.4)
    assert rouge_l("", "") == 0.0


def test_weights_are_fitted_to_the_marked_messages_and_judged_without_them() -> None:
    cases = [
        Case({0: {"long": float(n % 2), "last": 0.0}, 1: {"long": float(1 - n % 2), "last": 1.0}}, frozenset({n % 2}))
        for n in range(20)
    ]
    opposite = [Case(case.seen, frozenset({0 if case.seen[0]["long"] else 1})) for case in cases]
    weights = fit(opposite)
    assert weights["long"] > 1.0
    assert all(best(case.seen, weights) in case.marked for case in opposite)
    assert cross_validated(opposite).all()
    assert not cross_validated([Case(case.seen, frozenset()) for case in cases] + opposite)[:20].any()
    with pytest.raises(ValueError, match="no conversation"):
        fit([Case({}, frozenset())])
