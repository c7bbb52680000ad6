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
from agent.pages.words import Words
from agent.store.tables import Review, Ticket

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
