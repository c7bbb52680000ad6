"""Importing an id again with another role is a new review; importing the same again is none."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.core import Parts
from agent.domain import Role, RoleCatalogue
from agent.feedback import reviews
from agent.feedback.importing import Reviewed, take_in
from agent.store import comments, tickets
from agent.store.comments import Limits
from agent.store.tables import Ticket, utcnow

FILED = datetime(2025, 3, 1, tzinfo=UTC)


def imported(parts: Parts, *roles: str, catalogue: RoleCatalogue | None = None) -> int:
    """Import the same ticket with these roles."""
    row = Reviewed("7", "VPN is down", "", roles, FILED)
    return parts.database.call(take_in, "import", [row], "kim", catalogue or parts.classifier.catalogue)


def label(parts: Parts) -> tuple[str, ...]:
    (example,) = parts.database.call(tickets.reviewed, parts.classifier.catalogue)
    return example.roles


def test_another_role_counts_and_the_same_adds_nothing(parts: Parts) -> None:
    assert [imported(parts, "Network"), imported(parts, "Network"), imported(parts, "Electrician")] == [1, 0, 1]
    assert label(parts) == ("Electrician",)
    assert [imported(parts, "Electrician"), imported(parts, "Network"), imported(parts, "Network")] == [0, 1, 0]
    assert label(parts) == ("Network",)


def test_the_same_file_does_not_undo_what_staff_said_since_but_a_corrected_one_does(parts: Parts) -> None:
    imported(parts, "Network")
    said = reviews.answer("import:7", ["Electrician"], [], origin="page", actor="kim", at=utcnow())
    assert parts.database.call(tickets.review, said)
    assert imported(parts, "Network") == 0
    assert label(parts) == ("Electrician",)
    assert imported(parts, "Plumbing & HVAC") == 1
    assert label(parts) == ("Plumbing & HVAC",)


def test_several_roles_are_compared_whatever_their_order_and_former_names_as_todays(parts: Parts) -> None:
    imported(parts, "Network", "Electrician")
    assert imported(parts, "Electrician", "Network") == 0
    renamed = RoleCatalogue([Role("Lines", aliases=("network",)), Role("Electrician")])
    assert imported(parts, "Lines", "Electrician", catalogue=renamed) == 0


def test_corrected_imports_say_nothing_about_our_answers(parts: Parts) -> None:
    limits = Limits(corrected_share=1.0, answers=2)
    for number in range(2):
        key = f"desk:{number}"
        parts.database.call(tickets.file, Ticket(key=key, subject="x", body="", filed_at=FILED))
        said = reviews.answer(key, ["Network"], ["Electrician"], origin="page", actor="kim", at=utcnow())
        assert parts.database.call(tickets.review, said)
    imported(parts, "Network")
    imported(parts, "Electrician")
    assert parts.database.call(comments.brake, limits, utcnow()) == "staff corrected 2 of the latest 2 answers"
