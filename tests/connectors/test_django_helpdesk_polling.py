"""A look at the helpdesk misses nothing that happens while it looks, and tells nothing twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import Poll
from connectors.django_helpdesk import DjangoHelpdeskSettings
from connectors.django_helpdesk.payload import FollowUp, TicketRow
from connectors.django_helpdesk.polling import (
    Look,
    Watermark,
    before_reuse,
    conclude,
    missing,
    read_watermark,
    recent,
    start,
)
from connectors.errors import Permanent

OURS, THEIRS = 2, 3
SETTINGS = DjangoHelpdeskSettings(
    url="https://desk.example.test", token="t", author_id=str(OURS), webhook_secrets=("sixteen-letters-x",)
)
MORNING = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def follow_up(number: int, ticket: int, comment: str = "", **changes: Any) -> FollowUp:
    fields = {"id": number, "ticket": ticket, "user": THEIRS, "comment": comment, "public": False, "new_status": None}
    return FollowUp(**{**fields, "date": MORNING + timedelta(minutes=number), **changes})


def opening(number: int, ticket: int) -> FollowUp:
    return follow_up(number, ticket, "Oil", public=True)


def row(number: int, *followups: FollowUp, status: int = 1) -> TicketRow:
    return TicketRow(id=number, queue=1, title="Leak", description="Oil", status=status, followup_set=followups)


def told(poll: Poll) -> list[str]:
    return [f"{event.kind} {event.delivery_id}" for event in poll.events]


def mark_of(poll: Poll) -> Watermark:
    return read_watermark(poll.watermark)


SINCE = Watermark(ticket=5, followup=9, open=frozenset({4, 5}), at=MORNING + timedelta(minutes=9))


def test_the_start_remembers_the_present_and_tells_nothing() -> None:
    poll = start([follow_up(9, 3, "said")], [row(4, opening(6, 4)), row(5, opening(7, 5))])
    assert (list(poll.events), mark_of(poll)) == ([], SINCE)


def test_a_ticket_without_any_history_is_part_of_the_present_too() -> None:
    """A ticket made in the admin pages has no follow-up."""
    since = mark_of(start([follow_up(9, 3, "said")], [row(7)]))
    assert (since.ticket, since.open) == (7, {7})
    assert told(conclude(since, Look([], [row(7), row(8)]), SETTINGS)) == ["created ticket-8"]


def test_a_ticket_filed_while_the_first_look_reads_is_told_by_the_second() -> None:
    """Its webhook may have found nobody."""
    late = row(6, opening(10, 6))
    since = mark_of(start([follow_up(9, 3, "said")], [row(5, opening(7, 5)), late]))
    assert told(conclude(since, Look([opening(10, 6)], [row(5), late]), SETTINGS)) == ["created ticket-6"]


def test_word_on_an_old_ticket_that_was_closed_before_the_first_look_does_not_file_it_anew() -> None:
    """Its id is above all that the first look saw."""
    old = row(8, opening(2, 8), follow_up(3, 8, new_status=4), follow_up(10, 8, "Thanks"), status=4)
    look = Look([follow_up(10, 8, "Thanks")], [row(4), row(5)])
    assert missing(SINCE, look, SETTINGS) == [8]
    poll = conclude(SINCE, Look(look.followups, look.open, [old]), SETTINGS)
    assert told(poll) == ["commented followup-10"]


def test_nothing_new_is_nothing_told() -> None:
    poll = conclude(SINCE, Look([], [row(4), row(5)]), SETTINGS)
    assert (told(poll), mark_of(poll)) == ([], SINCE)


def test_an_opening_follow_up_is_no_comment_even_when_the_ticket_was_read_a_moment_later() -> None:
    """The ticket is filed after the follow-ups were read and before the open tickets are."""
    late = row(6, opening(10, 6))
    first = conclude(SINCE, Look([], [row(4), row(5), late]), SETTINGS)
    second = conclude(
        mark_of(first), Look([opening(10, 6)], [row(4), row(5)], [row(6, opening(10, 6), status=4)]), SETTINGS
    )
    assert told(first) == ["created ticket-6"]
    assert told(second) == ["closed ticket-6-closed-after-followup-10"]


def test_a_closure_between_the_two_reads_has_one_name_only() -> None:
    closing = follow_up(10, 5, new_status=4)
    closed = row(5, opening(8, 5), closing, status=4)
    first = conclude(SINCE, Look([], [row(4)], [closed]), SETTINGS)
    second = conclude(mark_of(first), Look([closing], [row(4)]), SETTINGS)
    assert told(first) == told(second) == ["closed followup-10"]


def test_a_ticket_whose_closing_follow_up_was_seen_is_not_read_again() -> None:
    look = Look([follow_up(10, 5, "Done", new_status=3)], [row(4)])
    assert missing(SINCE, look, SETTINGS) == []
    assert told(conclude(SINCE, look, SETTINGS)) == ["commented followup-10", "closed followup-10"]


def test_an_old_closure_does_not_explain_a_new_one() -> None:
    """Closed by follow-up 7, reopened without a trace before the last look, closed without a trace after it."""
    closed = row(5, opening(6, 5), follow_up(7, 5, new_status=4), status=4)
    look = Look([], [row(4)])
    assert missing(SINCE, look, SETTINGS) == [5]
    poll = conclude(SINCE, Look([], [row(4)], [closed]), SETTINGS)
    assert told(poll) == ["closed ticket-5-closed-after-followup-7"]


def test_our_own_comment_does_not_rename_a_silent_closure() -> None:
    before = row(5, opening(6, 5), status=4)
    after = row(5, opening(6, 5), follow_up(10, 5, "Engine", user=OURS), status=4)
    first, second = (conclude(SINCE, Look([], [row(4)], [closed]), SETTINGS) for closed in (before, after))
    assert told(first) == told(second)


def test_a_ticket_that_only_slipped_between_two_pages_stays_open() -> None:
    poll = conclude(SINCE, Look([], [row(4)], [row(5)]), SETTINGS)
    assert (told(poll), mark_of(poll).open) == ([], {4, 5})


def test_a_ticket_out_of_sight_is_forgotten() -> None:
    poll = conclude(SINCE, Look([], [row(4)]), SETTINGS)
    assert (told(poll), mark_of(poll).open) == ([], {4})


def test_a_reopened_ticket_is_watched_again() -> None:
    poll = conclude(SINCE, Look([], [row(3, opening(1, 3), status=2), row(4), row(5)]), SETTINGS)
    assert (told(poll), mark_of(poll).open) == ([], {3, 4, 5})


def test_a_younger_follow_up_with_a_number_that_was_given_before_shows_a_restored_helpdesk() -> None:
    later = {"date": MORNING + timedelta(hours=2)}
    newest = [follow_up(6, 4), follow_up(7, 5), opening(8, 6).model_copy(update=later)]
    again = before_reuse(SINCE, newest)
    assert (again.followup, again.ticket, again.open) == (7, 5, SINCE.open)
    look = Look([newest[-1]], [row(4), row(6, newest[-1])])
    assert told(conclude(again, look, SETTINGS)) == ["created ticket-6"]
    assert "created ticket-6" not in told(conclude(SINCE, look, SETTINGS))  # the control


@pytest.mark.parametrize("newest", [[follow_up(7, 5)], [follow_up(9, 3), follow_up(10, 3)], []])
def test_deleted_follow_ups_and_new_numbers_are_no_restored_helpdesk(newest: list[FollowUp]) -> None:
    """Control."""
    assert before_reuse(SINCE, newest) == SINCE


def test_the_tickets_of_the_latest_days_are_shown_as_they_are_each_once() -> None:
    horizon = MORNING + timedelta(minutes=20)
    old, spoken_of = row(4, opening(6, 4)), row(5, opening(7, 5), follow_up(30, 5, "said"))
    merged, edited = (
        row(6, status=5).model_copy(update={"merged_to": 5}),
        spoken_of.model_copy(update={"title": "Leak!"}),
    )
    found = recent([spoken_of, old, merged, edited], horizon, SETTINGS)
    assert [(t.id, t.subject, t.merged_into) for t in found] == [("5", "Leak!", None), ("6", "Leak", "5")]


@pytest.mark.parametrize("text", ["", "5", "{}", '{"ticket": "5", "followup": 9, "open": []}', "[" * 100_000])
def test_an_unreadable_watermark_is_said_and_not_replaced(text: str) -> None:
    with pytest.raises(Permanent, match="watermark"):
        read_watermark(text)
