"""The comment is read in two seconds, and nothing from a ticket can act in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from agent.domain import Reason, Role
from agent.notes import answers, wording
from agent.notes.phrasing import percent, worded
from agent.notes.wording import Beside
from agent.triage.cutoffs import Abstained, Cutoffs, Verdict
from agent.triage.evidence import Evidence, Neighbour
from agent.triage.fusion import Fusion
from agent.triage.opinion import Grounds, Opinion
from connectors.base import Markup
from connectors.markup import EXCERPT_LENGTH, excerpt, render
from connectors.note import Span, Style
from heuristics import Hit, Kind, Scope

ROLES = ("Network", "Electrician", "Plumbing")


GROUNDS = Grounds(Evidence(np.ones(3) / 3), Fusion.untrained(ROLES), Cutoffs(), None)


def hit(phrase: str, role: str = "Network", weight: float = 1.0) -> Hit:
    return Hit(phrase, role, Kind.VOTE, weight, Scope.ANY, 0, len(phrase), phrase)


def opinion(verdict: Verdict | Abstained, *hits: Hit, neighbours: tuple[Neighbour, ...] = ()) -> Opinion:
    return Opinion(verdict, ROLES, np.array([0.5, 0.3, 0.2]), hits, neighbours, "rules", "model", GROUNDS)


def said(opinion: Opinion, subjects: Mapping[str, str] | None = None, roles: Sequence[Role] = ()) -> str:
    """Return the note on the opinion as Markdown."""
    note = wording.of_opinion(opinion, Beside(subjects or {}, roles=roles))
    assert note is not None
    return render(note, Markup.MARKDOWN)


CLEAR = Verdict(("Network",), 0.97, clear=True)
EITHER_OR = Verdict(("Network",), 0.5, clear=False, alternative="Electrician")


def test_a_similar_ticket_of_which_nothing_is_kept_any_more_is_not_named() -> None:
    near = (Neighbour("desk:1", 0.9, ("Network",)), Neighbour("desk:2", 0.8, ("Network",)))
    told = said(opinion(CLEAR, neighbours=near), {"desk:2": "no wifi"})
    assert "like 2 " in told
    assert "no wifi" in told


def test_a_clear_suggestion_names_role_and_confidence_and_how_to_answer() -> None:
    first, *_, last = said(opinion(CLEAR, hit("VPN"))).splitlines()
    assert first == "**Role: Network** (97 %)"
    assert last == (
        "Right? Answer with a private note: `/role ok`. Wrong? `/role` and one of: Electrician, Plumbing, none."
    )


def test_an_either_or_asks_which_of_two_roles_it_is_and_says_what_each_handles() -> None:
    roles = [Role("Network", "switches and wifi"), Role("Electrician", "lights and sockets"), Role("Plumbing", "taps")]
    first, *_, handles, _, last = said(opinion(EITHER_OR), roles=roles).splitlines()
    assert first == "**Role: Network or Electrician?** (50 %, 30 %)"
    assert handles == "Network: switches and wifi. Electrician: lights and sockets"
    assert last.startswith(
        "Which one? Answer with a private note: `/role Network`, `/role Electrician`, `/role none`, or "
    )


def test_one_role_that_is_likely_but_not_clear_is_asked_for_alone() -> None:
    alone = Verdict(("Network",), 0.5, clear=False)
    first, *_, last = said(opinion(alone)).splitlines()
    assert first == "**Role: perhaps Network?** (50 %)"
    assert last.startswith("Right? ")


def test_no_more_roles_are_listed_than_can_be_read_at_once() -> None:
    many = tuple(f"role {number}" for number in range(74))
    wide = Opinion(Verdict(many[:1], 0.9, clear=True), many, np.ones(74) / 74, (), (), "rules", "model", GROUNDS)
    assert said(wide).splitlines()[-1].endswith("Wrong? `/role` and a role's name, or none.")


@pytest.mark.parametrize(("share", "words"), [(1.0, "99 %"), (0.946, "95 %"), (0.004, "under 1 %")])
def test_no_confidence_is_certainty(share: float, words: str) -> None:
    assert percent(share) == words


def test_two_roles_are_named_together() -> None:
    both = Verdict(("Network", "Electrician"), 0.8, clear=True)
    assert said(opinion(both)).startswith("**Role: Network and Electrician** (80 %)")


def test_what_staff_said_names_what_was_suggested() -> None:
    def text(*given: object) -> str:
        return render(wording.reviewed(*given), Markup.MARKDOWN)  # type: ignore[arg-type]

    assert text(["Access"], "corrected", ["Network"]) == "**Role: Access** (said by staff; suggested was Network)"
    assert text(["Access"], "corrected") == "**Role: Access** (said by staff)"
    assert text(["Network"], "confirmed") == "**Role: Network** (confirmed by staff)"


def test_reasons_are_the_weightiest_phrases_and_similar_reviewed_tickets() -> None:
    hits = (hit("oil", weight=0.5), hit("Oil leak", weight=2.0), hit("LEAK"), hit("bulb", "Electrician", 3.0))
    near = (Neighbour("a:1", 0.9, ("Network",)), Neighbour("a:2", 0.8, ("Electrician",)))
    text = said(opinion(CLEAR, *hits, neighbours=near), {"a:1": "oil leak at pump", "a:2": "no light"})
    assert "Why: it says `oil leak`; like 1 `oil leak at pump` (Network)." in text


def test_silence_is_none_unless_a_command_wants_an_answer() -> None:
    silent = Abstained(Reason.UNSURE, "Network", 0.2)
    assert wording.of_opinion(opinion(silent), Beside()) is None
    answer = answers.unknown_role("x", ["y", "z"], ["y", "z", "a"])
    note = wording.of_opinion(opinion(silent), Beside(), answer)
    assert note is not None
    assert render(note, Markup.MARKDOWN) == "I know no role `x`. Did you mean y or z?"


def test_an_answer_to_a_command_is_the_notes_headline_and_stands_below_the_role() -> None:
    answer = answers.unknown_role("x", [], ["y", "z"])
    note = wording.of_opinion(opinion(CLEAR), Beside(), answer)
    assert note is not None
    assert wording.headline(note) == answer
    assert [section.kind for section in note.sections] == ["role", "answer", "commands"]
    assert wording.headline(wording.reviewed(["Network"], "confirmed")) == (
        Span("Role: ", Style.STRONG),
        Span("Network", Style.STRONG),
        Span(" (confirmed by staff)"),
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
    assert worded("**{a}** `b` {c}", a="`{c}` **x**", c="{a}") == (
        Span("`{c}` **x**", Style.STRONG),
        Span(" "),
        Span("b", Style.CODE),
        Span(" "),
        Span("{a}"),
    )


def test_what_helped_on_a_similar_ticket_stands_beside_it_as_an_excerpt() -> None:
    near = (Neighbour("a:1", 0.9, ("Network",)), Neighbour("a:2", 0.8, ("Network",)))
    made = opinion(CLEAR, neighbours=near)
    note = wording.of_opinion(
        made, Beside({"a:1": "oil leak", "a:2": "no light"}, {"a:1": "I renewed @everyone's seal."})
    )
    assert note is not None
    spans = [span for section in note.sections for paragraph in section.paragraphs for span in paragraph]
    assert "what helped: " in "".join(span.text for span in spans)
    assert Span("I renewed @everyone's seal.", Style.CODE) in spans
    assert "".join(span.text for span in spans).count("what helped") == 1


def test_a_long_text_in_short_and_those_that_were_filed_alike_stand_below_the_role() -> None:
    note = wording.of_opinion(opinion(CLEAR), Beside(short=("It leaks", "since Monday"), burst=("a:7", "a:8")))
    assert note is not None
    text = render(note, Markup.MARKDOWN)
    assert "In short: “It leaks”, “since Monday”." in text
    assert "2 more like this one were filed within the hour before: 7, 8." in text


def test_a_better_subject_is_offered_in_quotation_marks() -> None:
    note = wording.of_opinion(opinion(CLEAR), Beside(subject="The scanner shows error E-14"))
    assert note is not None
    assert Span("The scanner shows error E-14", Style.QUOTED) in [s for p in note.sections[-1].paragraphs for s in p]
