"""The week in numbers: what counts, in which week, and that random checks alone say what was right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlmodel import Session

from agent.core import Parts
from agent.domain import Role, RoleCatalogue, Strength, Via
from agent.report.cases import Case, case, cases
from agent.report.week import Share, Week, calibration, figures, right_when_clear
from agent.store.tables import Decision, Review, Ticket

AT = datetime(2026, 11, 18, 12, tzinfo=UTC)
WEEK = Week(2026, 47)
CATALOGUE = RoleCatalogue([Role("Network", aliases=("LAN",)), Role("Access"), Role("Hardware")])


def later(hours: float) -> datetime:
    return AT + timedelta(hours=hours)


def decided(at: datetime = AT, roles: tuple[str, ...] = ("Network",), outcome: str = "clear", reason: str = "") -> Any:
    return SimpleNamespace(at=at, outcome=outcome, roles=list(roles), confidence=0.9, reason=reason)


def said(at: datetime, *roles: str, strength: int = 4, via: str = Via.COMMAND, **more: Any) -> Any:
    given = {"actor": "Kim", "withdrawn": None, **more}
    return SimpleNamespace(at=at, roles=list(roles), strength=strength, via=via, **given)


def of(*reviews: Any, decisions: tuple[Any, ...] = (), drawn: bool = False) -> Case:
    return case("desk:1", AT, drawn, decisions or (decided(),), reviews, CATALOGUE)


@pytest.mark.parametrize("name", ["2026-W00", "2026-W54", "2025-W53", "2026-47", "2026-W", "", "٢٠٢٦-W47", "9999-W52"])
def test_what_is_no_week_is_none(name: str) -> None:
    assert Week.of(name) is None


@pytest.mark.parametrize("name", ["2026-W07", "2026-w07", "2026-W7", "2026W07", "2026 w7"])
def test_a_week_may_be_written_as_people_do(name: str) -> None:
    assert str(Week.of(name)) == "2026-W07"


def test_weeks_follow_iso_8601_over_the_turn_of_the_year() -> None:
    last = Week.of("2026-W53")
    assert last is not None
    assert str(last.shifted(1)) == "2027-W01"
    assert str(last.monday) == "2026-12-28"
    assert last.end == last.shifted(1).begin
    assert Week.containing(AT.date()) == WEEK == WEEK.shifted(9).shifted(-9)


def test_a_role_that_was_imported_is_no_feedback() -> None:
    found = figures(WEEK, [of(said(later(1), "Access", strength=Strength.CORRECTED, via=Via.IMPORT))])
    assert (found.received, found.feedback, found.corrected) == (1, 0, 0)
    found = figures(WEEK, [of(said(later(1), "Access", strength=Strength.CORRECTED))])
    assert (found.received, found.feedback, found.corrected) == (1, 1, 1)


def test_what_was_suggested_before_anybody_acted_counts() -> None:
    both = (decided(AT, ("Access",)), decided(later(2), ("Network",)))
    assert of(said(later(1), "Network", strength=5), decisions=both).suggested == ("Access",)
    assert of(said(later(3), "Network"), decisions=both).suggested == ("Network",)
    assert of(decisions=both).suggested == ("Network",)
    assert of(said(later(-1), "Access"), decisions=both).suggested == ("Access",)  # staff were first


def test_words_beat_moves_and_what_was_taken_back_says_nothing() -> None:
    move = said(later(5), "Access", strength=3, via=Via.MOVE)
    assert of(said(later(1), "LAN"), move).said == ("Network",)
    taken = of(said(later(1), "Network", withdrawn="x"), move)
    assert (taken.said, taken.moved_at, taken.found_at) == (("Access",), later(5), later(5))
    assert of(move, said(later(6), strength=0, via=Via.REOPENING)).said == ("Access",)
    assert of(said(later(6), strength=0, via=Via.REOPENING)).said is None


def test_a_check_is_what_was_said_blind_and_on_nothing_else() -> None:
    assert of(said(later(1), "Network"), drawn=True).check is None
    assert of(said(later(1), "Network", via=Via.CHECK), drawn=True).check == ("Network",)
    assert of(said(later(1), strength=0, via=Via.CHECK), drawn=True).check is None  # could not tell
    none_of_ours = of(said(later(1), strength=5, via=Via.CHECK), drawn=True)
    assert (none_of_ours.check, none_of_ours.right) == ((), False)
    two = of(said(later(1), "Network", "Access", via=Via.CHECK), drawn=True)
    assert two.right
    both = (decided(roles=("Network", "Access")),)
    assert not of(said(later(1), "Network", via=Via.CHECK), decisions=both, drawn=True).right


def test_precision_comes_from_random_checks_alone() -> None:
    """However many confirm or correct what they saw, the share does not move."""
    checked = [of(said(later(1), "Network", via=Via.CHECK), drawn=True)] * 36
    wrong = [of(said(later(1), "Access", strength=5, via=Via.CHECK), drawn=True)] * 2
    others = [of(said(later(1), "Access", strength=5))] * 500 + [of(said(later(1), "Network"))] * 100
    unsure = [of(said(later(1), "Access", via=Via.CHECK), decisions=(decided(outcome="either_or"),), drawn=True)] * 9
    found = figures(WEEK, [*checked, *wrong, *others, *unsure])
    assert (found.right.right, found.right.count, found.drawn, found.checked) == (36, 38, 47, 47)
    assert [round(end, 2) for end in found.right.interval] == [0.83, 0.99]
    assert (found.corrected, found.feedback, found.sources) == (502, 647, {"desk": 502})
    assert found.corrections == {("Network", "Access"): 502}
    assert right_when_clear(checked, "Access") == Share(0, 0)
    assert not Share(19, 19).enough
    assert calibration(checked) == [(0.9, Share(36, 36))]


def test_tickets_of_other_weeks_and_reasons_and_hours() -> None:
    moved = of(said(later(3), "Access", strength=3, via=Via.MOVE), decisions=(decided(outcome="none", roles=()),))
    none = of(decisions=(decided(outcome="none", roles=(), reason="unsure"),))
    elsewhere = case("desk:2", later(24 * 7), False, (decided(),), (), CATALOGUE)
    found = figures(WEEK, [moved, none, elsewhere])
    assert (found.received, found.outcomes, found.reasons["unsure"]) == (2, {"none": 2}, 1)
    assert found.hours == {False: (3.0, 1)}
    assert found.moved == {False: 1}
    assert found.roles == {"Access": 1}


def test_what_is_stored_becomes_cases_and_what_was_imported_none(parts: Parts) -> None:
    def fill(session: Session) -> None:
        for key in ("desk:1", "desk:2", "import:3"):
            session.add(Ticket(key=key, subject="", body="", filed_at=AT, drawn=key == "desk:1"))
        for key in ("desk:1", "desk:2"):
            row = {"ticket_key": key, "at": AT, "outcome": "clear", "roles": ["Network"], "confidence": 0.9}
            session.add(Decision(**row, reason="", detail={}, rules_version="v"))
        given = {"strength": Strength.CONFIRMED, "at": later(1)}
        session.add(Review(ticket_key="desk:1", roles=["Network"], via=Via.CHECK, origin="a", **given))
        session.add(Review(ticket_key="import:3", roles=["Network"], via=Via.IMPORT, origin="b", **given))

    parts.database.call(fill)
    found = parts.database.call(cases, WEEK.begin, WEEK.end, CATALOGUE)
    assert [(one.key, one.drawn, one.check) for one in found] == [
        ("desk:1", True, ("Network",)),
        ("desk:2", False, None),
    ]
    assert parts.database.call(cases, WEEK.end, WEEK.shifted(2).end, CATALOGUE) == []
