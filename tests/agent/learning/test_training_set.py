"""What is learnt from: the latest tickets, a floor per role, labels of today's roles, one row a ticket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agent.domain import Example, Strength
from agent.learning.training_set import build

START = datetime(2025, 1, 1, tzinfo=UTC)


def ticket(day: int, *roles: str, text: str = "", strength: Strength = Strength.CONFIRMED) -> Example:
    return Example(
        f"desk:{day}", text or f"ticket number {'x' * day}", "", roles, START + timedelta(days=day), strength
    )


def days(chosen: tuple[Example, ...]) -> list[int]:
    return [int(example.ticket_key.split(":")[1]) for example in chosen]


def test_the_latest_tickets_are_chosen_oldest_first_whatever_the_order_they_come_in() -> None:
    tickets = [ticket(day, "A") for day in range(20)]
    chosen = build(reversed(tickets), window=5, floor=0)
    assert days(chosen.examples) == [15, 16, 17, 18, 19]


def test_a_role_that_the_window_would_lose_keeps_its_newest_older_tickets() -> None:
    tickets = [ticket(day, "Rare" if day < 10 else "Common") for day in range(40)]
    chosen = build(tickets, window=20, floor=3)
    assert days(chosen.examples)[:3] == [7, 8, 9]
    assert len(chosen.examples) == 23


def test_a_flood_of_one_role_is_capped_at_its_newest_tickets() -> None:
    chosen = build([ticket(day, "Flood") for day in range(20)], cap=8)
    assert days(chosen.examples) == list(range(12, 20))


def test_roles_that_exist_no_more_are_dropped() -> None:
    tickets = [ticket(1, "Electrical"), ticket(2, "Closed team"), ticket(3, "Closed team", "Electrical")]
    chosen = build(tickets, roles={"Electrical"})
    assert [example.roles for example in chosen.examples] == [("Electrical",)] * 2
    assert days(chosen.examples) == [1, 3]


def test_a_ticket_without_text_teaches_nothing() -> None:
    assert build([ticket(1, "A", text=" ")]).examples == ()


def test_the_last_review_of_a_ticket_counts() -> None:
    assert build([ticket(1, "A"), ticket(1, "B")]).roles == ("B",)


def test_a_persons_word_weighs_more_than_a_closing_role_and_that_more_than_our_own_echo() -> None:
    chosen = build([ticket(int(s), "A", strength=s) for s in Strength if s is not Strength.REOPENED])
    assert list(chosen.weights) == sorted(set(chosen.weights))


def test_labels_have_a_column_per_role_and_several_roles_per_ticket() -> None:
    chosen = build([ticket(1, "B", "A"), ticket(2, "B")])
    assert chosen.roles == ("A", "B")
    assert chosen.labels().tolist() == [[1, 1], [0, 1]]
    assert chosen.multi_label
    assert not build([ticket(1, "B"), ticket(2, "A")]).multi_label


def test_no_reviewed_tickets_make_an_empty_set() -> None:
    chosen = build([])
    assert chosen.examples == ()
    assert chosen.labels().shape == (0, 0)
