"""A role is renamed, its old name kept as an alias, while events wait: nothing fails and no label is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import select

from agent.core import Parts
from agent.domain import Role, RoleCatalogue
from agent.learning import training_set
from agent.store import inbox, status, tickets
from agent.store.tables import Inbox
from connectors.errors import Transient
from connectors.events import Ticket
from tests.conftest import TICKETS
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio

OLD, NEW = "Network", "Lines & VPN"


class UnreachableDesk(Desk):
    """Cannot be read while it is down."""

    down = False

    async def read_ticket(self, ticket_id: str) -> Ticket:
        if self.down:
            raise Transient("down")
        return await super().read_ticket(ticket_id)


@pytest.fixture
def start(parts_for: Callable[..., Parts], tmp_path: Path) -> Callable[[str], Parts]:
    """Return what assembles the installation with this name for the role, the other one being an alias."""

    def assemble(name: str) -> Parts:
        files = {}
        for kind in ("roles", "rules"):
            files[kind] = tmp_path / f"{kind}.toml"
            text = (TICKETS / f"{kind}.toml").read_text("utf-8")
            files[kind].write_text(text.replace(f'"{OLD}"', f'"{name}"'), "utf-8")
        if name != OLD:
            text = files["roles"].read_text("utf-8")
            files["roles"].write_text(text.replace('aliases = ["net"', f'aliases = ["{OLD}", "net"'), "utf-8")
        work = {"settle_seconds": 0.2, "retry_seconds": (0.05,) * 90, "breaker_failures": 0}
        return parts_for(work=work, triage={"silent_below": 0.2}, **files)

    return assemble


async def test_what_waited_under_the_old_name_is_worked_under_the_new_one(start: Callable[[str], Parts]) -> None:
    desk, said = UnreachableDesk(), ("/role ok", f"/role {OLD}", "/role net", "/role Electrician")
    async with running(start(OLD), desk) as server:
        await server.deliver(*[desk.create("VPN is down") for _ in said])
        await server.idle()
        desk.down = True
        await server.deliver(*[desk.reply(str(n), text) for n, text in enumerate(said, 1)])
        await server.deliver(desk.create("VPN is down again"))
        assert server.parts.database.call(status.counts).keys() & set(inbox.OPEN)
    desk.down = False
    renamed = start(NEW)
    async with running(renamed, desk) as server:
        await server.idle()
        states = {row.state for row in renamed.database.call(lambda s: s.exec(select(Inbox)).all())}
        newest = renamed.database.call(tickets.last_decision, "desk:5")
        reviewed = renamed.database.call(tickets.reviewed, renamed.classifier.catalogue)
    assert states == {"done"}
    assert newest is not None
    assert newest.roles == [NEW]
    assert NEW in desk.comments("5")[0].text
    assert [len(desk.comments(number)) for number in desk.tickets] == [1] * 5

    learnt = training_set.build(training_set.usable(reviewed, renamed.classifier.catalogue.names))
    assert {e.ticket_key: e.roles for e in learnt.examples} == {
        "desk:1": (NEW,),
        "desk:2": (NEW,),
        "desk:3": (NEW,),
        "desk:4": ("Electrician",),
    }


async def test_without_the_alias_the_labels_of_the_old_name_are_left_out(start: Callable[[str], Parts]) -> None:
    """Control."""
    desk = Desk()
    async with running(start(OLD), desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        await server.deliver(desk.reply("1", "/role ok"))
        await server.idle()
    reviewed = server.parts.database.call(tickets.reviewed, RoleCatalogue([Role(NEW)]))
    assert training_set.usable(reviewed, (NEW,)) == []
