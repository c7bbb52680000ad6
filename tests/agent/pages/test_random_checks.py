"""Random checks: drawn once, by the ticket's number alone; what was suggested is shown after the answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlmodel import Session, select

from agent.core import Parts, mark_key
from agent.domain import Strength, Via, drawn
from agent.pages.signing.rights import Rights
from agent.store.tables import Review, Ticket
from tests.agent.pages.conftest import signed_in, words_of
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio

KEY = b"a key"
NUMBERS = range(4_000)


def test_the_lot_draws_its_share_and_knows_the_number_alone() -> None:
    found = [number for number in NUMBERS if drawn(KEY, f"desk:{number}", 0.05)]
    assert 150 < len(found) < 250
    assert found == [number for number in NUMBERS if drawn(KEY, f"desk:{number}", 0.05)]
    assert set(found) <= {number for number in NUMBERS if drawn(KEY, f"desk:{number}", 0.1)}
    assert set(found) != {number for number in NUMBERS if drawn(b"another", f"desk:{number}", 0.05)}
    assert not any(drawn(KEY, f"desk:{number}", 0) for number in NUMBERS)
    assert all(drawn(KEY, f"desk:{number}", 1) for number in NUMBERS)


def checking(parts_for: Callable[..., Parts], share: float = 1.0) -> Parts:
    return parts_for(work={"settle_seconds": 0.2}, triage={"silent_below": 0.2}, checks={"share": share})


async def test_what_was_suggested_is_shown_after_the_answer(parts_for: Callable[..., Parts], desk: Desk) -> None:
    async with running(checking(parts_for), desk) as server:
        kim, viewer = signed_in(server, Rights.REVIEWER, "Kim"), signed_in(server, Rights.VIEWER)
        await server.deliver(desk.create("VPN is down", "The VPN drops."))
        await server.idle()
        page = words_of(await kim.see("/review?order=check"))
        assert "1 ticket waits" in page
        assert "Random check" in page
        for path in ("/review", "/", "/tickets/desk/1"):
            shown = await kim.see(path)
            assert "Random check" in words_of(shown), path
            for hint in (">suggested<", "Suggested Network", 'name="right"', 'class="conf"', "as it stands"):
                assert hint not in shown, (path, hint)
        assert "Network" in words_of(await viewer.see("/"))  # the control: others see it
        await kim.post("/review", ticket="desk:1", role="Electrician", seen="0")
        (review,) = server.parts.database.call(lambda s: s.exec(select(Review)).all())
        assert (review.via, review.strength, review.rejected) == (Via.CHECK, Strength.CORRECTED, ["Network"])
        assert "Electrician suggested: Network" in words_of(await kim.see("/review"))
        page = words_of(await kim.see("/tickets/desk/1"))
        assert "Kim said, in a random check: Electrician" in page
        assert "Suggested Network" in page

        await kim.post("/tickets/desk/1", undo="1", seen=str(review.id))
        assert "Random check" not in words_of(await kim.see("/"))  # they have seen it by now


async def test_a_check_is_asked_whatever_others_said_and_ends_with_cannot_tell(
    parts_for: Callable[..., Parts], desk: Desk
) -> None:
    async with running(checking(parts_for), desk) as server:
        kim = signed_in(server, Rights.REVIEWER, "Kim")
        await server.deliver(desk.create("VPN is down", "The VPN drops."))
        await server.idle()
        await server.deliver(desk.reply("1", "/role Electrician"))
        await server.idle()
        page = await kim.see("/review")
        assert "Random check" in words_of(page)
        assert "Corrected" not in page
        await kim.post("/review", ticket="desk:1", unclear="1", seen="1")
        assert "Nothing waits" in words_of(await kim.see("/review?order=check"))


async def test_a_ticket_is_drawn_when_it_is_filed_and_never_again(parts_for: Callable[..., Parts], desk: Desk) -> None:
    def lots(session: Session) -> dict[str, bool]:
        return {ticket.key: ticket.drawn for ticket in session.exec(select(Ticket))}

    numbers = range(1, 13)
    parts = checking(parts_for, 0.5)
    async with running(parts, desk) as server:
        await server.deliver(*(desk.create(f"Question {number}", "?") for number in numbers))
        await server.idle()
        found = parts.database.call(lots)
        key = mark_key(parts.directory, parts.database)
        assert found == {f"desk:{number}": drawn(key, f"desk:{number}", 0.5) for number in numbers}
    parts = checking(parts_for, 1.0)
    async with running(parts, desk) as server:
        await server.deliver(*(desk.edit(str(number), "Another text") for number in numbers))
        await server.idle()
        assert parts.database.call(lots) == found
