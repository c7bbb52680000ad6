"""The ladder on the page of roles: what each has shown, what is offered, and the buttons that move it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from agent.core import Parts
from agent.domain import Strength, Via
from agent.pages.signing.rights import Rights
from agent.store.people import Audit
from agent.store.stages import StageMove
from agent.store.tables import Decision, Review, Ticket, utcnow
from tests.agent.pages.conftest import signed_in, words_of
from tests.desk import Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio


def checked(session: Session, count: int, wrong: int = 0) -> None:
    """Store tickets that were clear for Network, each checked at random."""
    for number in range(count):
        key, at = f"desk:{number + 1}", utcnow() - timedelta(hours=count - number)
        session.add(Ticket(key=key, subject="<b>vpn</b>", body="", group="intake", filed_at=at, drawn=True))
        clear: dict[str, Any] = {"outcome": "clear", "confidence": 0.9, "reason": "", "detail": {}}
        session.add(Decision(ticket_key=key, at=at, roles=["Network"], rules_version="1", **clear))
        right = number >= wrong
        said = {"roles": ["Network" if right else "Electrician"], "via": Via.CHECK, "origin": key}
        strength = Strength.CONFIRMED if right else Strength.CORRECTED
        session.add(Review(ticket_key=key, at=at, strength=strength, **said))


async def test_an_operator_sees_what_a_stage_would_do_takes_it_and_lowers_it_again(server: Running) -> None:
    server.parts.database.call(checked, 40, 1)
    viewer, operator = signed_in(server, Rights.VIEWER), signed_in(server, Rights.OPERATOR)
    seen = words_of(await viewer.see("/roles"))
    assert "Stage: comment Its suggestions are posted as comments. Right when clear: 39 of 40 random checks" in seen
    assert "Offered: tag . What would it have done?" in seen
    assert "For assign, 90 % in the long run is asked for: 22 more right checks" in seen
    assert "Lower" not in seen
    dry = words_of(await operator.see("/roles?role=Network&stage=tag"))
    assert "Of the latest 40 tickets, 40 were clear for this role. 40 would have been tagged." in dry
    assert "the same of 39, something else of 1, nothing of 0" in dry
    assert "desk 1 : Electrician Take tag for Network" in dry
    assert "Take" not in words_of(await viewer.see("/roles?role=Network&stage=tag"))
    for fields, status in (
        ({"do": "take", "role": "Network", "stage": "assign"}, 409),
        ({"do": "take", "role": "Network", "stage": "comment"}, 409),
        ({"do": "take", "role": "Nobody", "stage": "tag"}, 422),
        ({"do": "take", "role": "Network", "stage": "high"}, 400),
        ({"do": "jump", "role": "Network", "stage": "tag"}, 400),
    ):
        assert (await operator.post("/roles", **fields)).status_code == status, fields
    assert (await operator.post("/roles", do="take", role="Network", stage="tag")).status_code == 303
    seen = words_of(await operator.see("/roles?role=Nobody&stage=high"))
    assert "Stage: tag" in seen
    assert "Taken by the operator" in seen
    assert (await operator.post("/roles", do="lower", role="Network", stage="comment")).status_code == 303
    assert "Lowered by the operator" in words_of(await viewer.see("/roles"))
    log = words_of(await operator.see("/log"))
    assert log.count("Moved to another stage: role: Network") == 2


async def test_the_log_is_in_the_language_of_the_pages(parts_for: Callable[..., Parts], desk: Desk) -> None:
    async with running(parts_for(language="es"), desk) as server:
        operator = signed_in(server, Rights.OPERATOR)
        assert (await operator.post("/roles", do="take", role="Network", stage="comment")).status_code in (303, 409)
        assert (await operator.post("/roles", do="lower", role="Network", stage="shadow")).status_code == 303
        log = words_of(await operator.see("/log"))
    assert "rol: Network de: comentario a: sombra motivo: la bajó alguien" in log


async def test_one_click_moves_every_role_out_of_the_shadow(parts_for: Callable[..., Parts], desk: Desk) -> None:
    async with running(parts_for(ladder={"start": "shadow"}), desk) as server:
        viewer, operator = signed_in(server, Rights.VIEWER), signed_in(server, Rights.OPERATOR)
        assert "Comment from now on" not in (page := words_of(await viewer.see("/roles")))
        assert "Every role is in shadow" in page
        assert "Every role is in shadow" in words_of(await viewer.see("/status"))
        assert "Comment from now on" in await operator.see("/roles")
        assert (await operator.post("/roles", do="begin")).status_code == 303
        assert "Every role is in shadow" not in words_of(await viewer.see("/roles") + await viewer.see("/status"))
        with Session(server.parts.database.engine) as session:
            (move,), (line,) = session.exec(select(StageMove)).all(), session.exec(select(Audit)).all()
        assert (move.role, move.stage, line.who) == ("", "comment", "the operator")
