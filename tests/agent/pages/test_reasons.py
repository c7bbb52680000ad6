"""A ticket that no event brought says where it came from: its helpdesk's past, or somebody's file."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from agent.domain import Role, RoleCatalogue, Via
from agent.pages.reasons import reason
from agent.pages.standing import Standing
from agent.pages.texts import load
from agent.pages.today import offered_first
from agent.pages.words import Words
from agent.store.tables import Decision, Review, Ticket

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("via", "told"),
    [
        (Via.CLOSURE, "Taken in from it-desk, where it was closed in Network."),
        (Via.IMPORT, "It came by import; nothing was suggested."),
        (Via.PAGE, "No suggestion."),
        (None, "It came by import; nothing was suggested."),
    ],
)
def test_it_says_where_a_ticket_came_from(via: Via | None, told: str) -> None:
    catalogue, texts = RoleCatalogue((Role("Network"),)), load("en")
    site: Any = SimpleNamespace(
        texts=texts,
        words=Words(texts, catalogue, lambda: NOW),
        classifier=SimpleNamespace(catalogue=catalogue),
    )
    ticket = Ticket(key="it-desk:7", subject="x", body="y", filed_at=NOW)
    known = Review(ticket_key="it-desk:7", at=NOW, roles=["Network"], strength=2, via=via) if via else None
    said = reason(site, Standing(ticket, review=known))
    assert said is not None
    assert said.striptags() == told


@pytest.mark.parametrize(("reason", "ranked"), [("unsure", [("Network", 0.3), ("VPN", 0.2)]), ("untaught", [])])
def test_equal_chances_are_no_evidence(reason: str, ranked: list[tuple[str, float]]) -> None:
    catalogue = RoleCatalogue((Role("VPN"), Role("Network")))
    chances = {"probabilities": {"VPN": 0.2, "Network": 0.3}}
    decision = Decision(ticket_key="it-desk:7", at=NOW, outcome="none", roles=[], reason=reason, detail=chances)
    standing = Standing(Ticket(key="it-desk:7", subject="x", body="y", filed_at=NOW), decision)
    assert standing.ranked(catalogue) == ranked


def test_of_many_roles_the_likeliest_are_offered_first() -> None:
    names = [f"Team {number:02}" for number in range(12)]
    assert offered_first(names[:9], [("Team 08", 0.9)]) == names[:9]
    assert offered_first(names, [("Team 11", 0.9), ("gone", 0.1)]) == ["Team 11", *names[:8]]
