"""Several tickets confirmed at once: those closed in the role that was clearly suggested, and taken back at once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from agent.domain import Strength, Via
from agent.pages.signing.rights import Rights
from agent.store import search
from agent.store.people import Audit
from agent.store.tables import Decision, Review, Ticket, utcnow
from tests.agent.pages.conftest import signed_in, words_of
from tests.serving_app import Running

pytestmark = pytest.mark.anyio

AGREES, WEAK, ELSEWHERE, DRAWN, SAID, ALSO = (f"desk:{number}" for number in range(1, 7))


def plant(session: Any) -> None:
    """Store tickets that were closed in Network: clearly suggested so, half so, otherwise, drawn, or answered."""
    for place, (key, outcome, suggested, drawn, said) in enumerate(
        [
            (AGREES, "clear", "Network", False, False),
            (WEAK, "either_or", "Network", False, False),
            (ELSEWHERE, "clear", "Electrician", False, False),
            (DRAWN, "clear", "Network", True, False),
            (SAID, "clear", "Network", False, True),
            (ALSO, "clear", "Network", False, False),
        ]
    ):
        at = utcnow() - timedelta(minutes=place + 1)
        search.add(session, Ticket(key=key, subject=f"Ticket {key}", body="text", filed_at=at, drawn=drawn))
        session.add(
            Decision(ticket_key=key, at=at, outcome=outcome, roles=[suggested], confidence=0.9, reason="", detail={},
                     rules_version="1")
        )  # fmt: skip
        closed = Strength.CONFIRMED if said else Strength.CLOSED_AS_SUGGESTED
        session.add(Review(ticket_key=key, roles=["Network"], strength=closed, via=Via.CLOSURE, origin="x", at=at))


async def test_what_was_closed_as_clearly_suggested_is_confirmed_and_taken_back_at_once(server: Running) -> None:
    server.parts.database.call(plant)
    kim = signed_in(server, Rights.REVIEWER, "Kim")
    assert "Confirm up to 2 at once" in words_of(await kim.see("/review"))
    page = await kim.see("/review/bulk")
    assert set(re.findall(r'name="ticket" value="([^"]+)"', page)) == {AGREES, ALSO}
    answer = await kim.post("/review/bulk", do="confirm", ticket=[AGREES, WEAK, ELSEWHERE, DRAWN, SAID, "desk:99"])
    assert answer.status_code == 303
    assert given(server) == [(AGREES, Strength.CLOSED, ["Network"])], "what does not fit is left out, ticked or not"
    page = await kim.see(answer.headers["location"])
    assert "1 ticket confirmed." in words_of(page)
    assert re.findall(r'name="ticket" value="([^"]+)"', page) == [ALSO], "it is not asked about again"
    robin, batch = signed_in(server, Rights.REVIEWER, "Robin"), answer.headers["location"].partition("=")[2]
    for person, ticked in ((robin, {"do": "undo", "batch": batch}), (kim, {"do": "confirm"})):
        assert (await person.post("/review/bulk", **ticked)).status_code == 409
    assert len(given(server)) == 1, "the control"
    assert (await kim.post("/review/bulk", do="undo", batch=batch)).status_code == 303
    assert given(server) == []
    assert set(re.findall(r'name="ticket" value="([^"]+)"', await kim.see("/review/bulk"))) == {AGREES, ALSO}
    lines = server.parts.database.call(lambda s: [(a.who, a.action, a.ticket_key) for a in s.exec(select(Audit))])
    assert lines == [("Kim", "bulk", AGREES), ("Kim", "undo", AGREES)]


def given(server: Running) -> list[tuple[str, int, list[str]]]:
    """Return what stands of what people confirmed on the page."""
    rows = server.parts.database.call(lambda session: list(session.exec(select(Review).where(Review.via == Via.PAGE))))
    return [(row.ticket_key, row.strength, row.roles) for row in rows if row.withdrawn is None]
