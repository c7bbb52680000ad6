"""What is learnt from: the latest tickets, a floor per role, labels of today's roles, one row a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from agent.domain import Example, Strength
from agent.learning.training_set import FLOOD, build, latest, left_out, newest, still_needed, usable

CLOSED = Strength.CLOSED
START = datetime(2025, 1, 1, tzinfo=UTC)


def ticket(day: int, *roles: str, text: str = "") -> Example:
    return Example(f"desk:{day}", text or f"ticket number {'x' * day}", "", roles, START + timedelta(days=day))


def days(chosen: Sequence[Example]) -> list[int]:
    return [int(example.ticket_key.split(":")[1]) for example in chosen]


def test_the_latest_tickets_are_chosen_oldest_first_whatever_the_order_they_come_in() -> None:
    tickets = [ticket(day, "A") for day in range(20)]
    chosen = build(reversed(tickets), window=5, floor=0, cap=20)
    assert days(chosen.examples) == [15, 16, 17, 18, 19]


def test_a_role_that_the_window_would_lose_keeps_its_newest_older_tickets() -> None:
    tickets = [ticket(day, "Rare" if day < 10 else "Common") for day in range(40)]
    chosen = build(tickets, window=20, floor=3, cap=20)
    assert days(chosen.examples)[:3] == [7, 8, 9]
    assert len(chosen.examples) == 23


def test_a_flood_of_one_role_is_capped_at_its_newest_tickets() -> None:
    chosen = build([ticket(day, "Flood") for day in range(20)], cap=8)
    assert days(chosen.examples) == list(range(12, 20))


def test_one_role_may_fill_half_of_any_window() -> None:
    tickets = [ticket(day, "Flood" if day % 10 else "Rare") for day in range(1500)]
    for window in (100, 300, 1000):
        flood = [e for e in build(tickets, window=window, floor=0).examples if e.roles == ("Flood",)]
        assert len(flood) == window // 2


def test_roles_that_exist_no_more_are_dropped() -> None:
    tickets = [ticket(1, "Electrical"), ticket(2, "Closed team"), ticket(3, "Closed team", "Electrical")]
    known = usable(tickets, roles={"Electrical"})
    assert [example.roles for example in known] == [("Electrical",)] * 2
    assert days(known) == [1, 3]


def test_a_ticket_without_text_teaches_nothing() -> None:
    assert usable([ticket(1, "A", text=" ")], {"A"}) == []


def test_a_ticket_of_which_no_word_counts_takes_no_place_of_others() -> None:
    """Only the tickets that may be chosen are read: all of a long history would make nights dearer."""
    signed = [replace(ticket(100 + day, "A"), subject="", body="--\nBob") for day in range(5)]
    assert not any(e.text for e in signed)
    tickets = [ticket(day, "AB"[day % 2]) for day in range(60)]
    known = usable([*tickets, *signed], {"A", "B"})
    assert [e.ticket_key for e in latest(known, window=10)] == [e.ticket_key for e in latest(tickets, window=10)]
    assert newest(known, 20) == tickets[-20:]
    assert newest(known, 1000) == tickets

    read = [e for e in known if "reading" in vars(e)]
    assert len(read) == 65  # the control: the last line above reads them all
    again = usable([*tickets, *signed], {"A", "B"})
    latest(again, window=10)
    assert sum("reading" in vars(e) for e in again) < 30


def test_a_flood_of_one_requester_takes_no_place_of_others() -> None:
    flood = [replace(ticket(20, "A"), ticket_key=f"flood:{n}", requester="one", strength=CLOSED) for n in range(50)]
    tickets = [replace(ticket(day, "A"), requester=f"requester {day}") for day in range(20)]
    assert usable([*tickets, *flood], {"A"}) == tickets
    silent = [*tickets, *flood, ticket(1, "gone")]
    assert left_out(silent, {"A"}) == [
        f"50 reviewed tickets teach nothing: {FLOOD}",
        "1 reviewed tickets teach nothing: roles.toml does not name their roles",
    ]
    assert left_out(tickets, {"A"}) == []
    known = [replace(e, requester=None) for e in [*tickets, *flood]]
    assert usable(known, {"A"}) == known


def test_the_last_review_of_a_ticket_counts() -> None:
    assert build([ticket(1, "A"), ticket(1, "B")]).roles == ("B",)


def test_it_is_told_how_many_more_tickets_each_role_needs() -> None:
    tickets = [ticket(day, "Plenty") for day in range(30)] + [ticket(100 + day, "Few", "Plenty") for day in range(8)]
    assert still_needed(tickets, ("Few", "None", "Plenty")) == {"None": 20, "Few": 12}


def test_no_reviewed_tickets_make_an_empty_set() -> None:
    assert build([]).examples == ()
