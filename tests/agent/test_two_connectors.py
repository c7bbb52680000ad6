"""Two systems of one kind in one installation: each under its own name, with one model and one set of roles."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from agent.app import create_app
from agent.config.settings import Settings, TriageSettings, WorkSettings
from agent.core import Parts, assemble
from agent.store import connector_data
from agent.store.tables import Comment, Decision, Review, Ticket, Watermark
from agent.work.poll import poll_once
from connectors.base import Poll
from tests.desk import Desk
from tests.patience import PATIENCE_SECONDS
from tests.serving_app import Running, unharmed

pytestmark = pytest.mark.anyio

ROLES = """
[[role]]
name = "Network"
groups = { it = ["net", "vpn"], plant-2 = "NETZ" }

[[role]]
name = "Electrician"
groups = { plant-2 = "ELE" }

[[role]]
name = "Accounts"
groups = { it = "acc" }
"""
RULES = "".join(
    f'[[rule]]\nid = "{word}"\nrole = "{role}"\nkeywords = ["{word}"]\n\n'
    for word, role in (("vpn", "Network"), ("light", "Electrician"), ("password", "Accounts"))
)


@dataclass
class Polled(Desk):
    """A desk that tells at a look what nobody has delivered, and remembers what it was asked."""

    asked: list[str | None] = field(default_factory=list)

    async def poll(self, watermark: str | None, *_: object) -> Poll:
        self.asked.append(watermark)
        return Poll(list(self.events.values()) if watermark else [], f"{self.source} {len(self.events)}")


@pytest.fixture
def desks() -> tuple[Polled, Polled]:
    return Polled(source="it", secret="of-it"), Polled(source="plant-2", secret="of-the-plant")


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Parts]:
    (tmp_path / "roles.toml").write_text(ROLES)
    (tmp_path / "rules.toml").write_text(RULES)
    places = {"data": tmp_path / "data", "roles": tmp_path / "roles.toml", "rules": tmp_path / "rules.toml"}
    settings = Settings(**places, work=WorkSettings(settle_seconds=0.2), triage=TriageSettings(silent_below=0.05))
    parts = assemble(settings)
    yield parts
    parts.database.close()


@asynccontextmanager
async def serving(parts: Parts, *desks: Desk) -> AsyncIterator[list[Running]]:
    """Start one server for all desks; each gets a way to deliver its own webhooks."""
    app = create_app(parts, {desk.source: desk for desk in desks}, ("false",))
    with unharmed():
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rolecall") as client,
        ):
            yield [Running(parts, client, desk) for desk in desks]


async def until_asked(desk: Polled, looks: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(desk.asked) < looks:
            await asyncio.sleep(0.01)


def rows(parts: Parts, table: type) -> list:
    return list(parts.database.call(lambda session: session.exec(select(table)).all()))


async def test_tickets_of_the_same_number_each_get_their_own_comment(both: Parts, desks: tuple[Polled, Polled]) -> None:
    it, plant = desks
    async with serving(both, it, plant) as (at_it, at_plant):
        answers = [
            await at_it.deliver(it.create("VPN is down")),
            await at_plant.deliver(plant.create("The light is out")),
        ]
        await at_it.idle()
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [ticket.key for ticket in rows(both, Ticket)] == ["it:1", "plant-2:1"]
    said = [desk.comments("1")[0].text.splitlines()[0] for desk in desks]
    assert ["Network" in said[0], "Electrician" in said[1]] == [True, True]
    marks = {comment.ticket_key: comment.marker for comment in rows(both, Comment)}
    assert len(set(marks.values())) == 2
    assert [marks[f"{desk.source}:1"] in desk.comments("1")[0].text for desk in desks] == [True, True]


async def test_the_hook_of_one_does_not_open_to_the_secret_of_the_other(
    both: Parts, desks: tuple[Polled, Polled]
) -> None:
    it, plant = desks
    event = it.create("VPN is down")
    body = json.dumps([(event.kind, event.delivery_id)])
    async with serving(both, it, plant) as (server, _):
        answers = [
            await server.client.post(f"/hooks/{name}/{secret}", content=body)
            for name, secret in (("it", plant.secret), ("plant-2", it.secret), ("desk", it.secret), ("it", it.secret))
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 202]


async def test_a_correction_on_one_touches_no_ticket_of_the_other(both: Parts, desks: tuple[Polled, Polled]) -> None:
    it, plant = desks
    async with serving(both, it, plant) as (at_it, at_plant):
        await at_it.deliver(it.create("VPN is down"))
        await at_plant.deliver(plant.create("VPN is down"))
        await at_it.idle()
        before = plant.comments("1")
        await at_it.deliver(it.reply("1", "/role accounts"))
        await at_it.idle()
    (review,) = rows(both, Review)
    assert (review.ticket_key, review.roles) == ("it:1", ["Accounts"])
    assert "Accounts" in it.comments("1")[0].text
    assert plant.comments("1") == before


async def test_each_system_has_its_own_groups_for_the_roles_they_share(
    both: Parts, desks: tuple[Polled, Polled]
) -> None:
    it, plant = desks
    async with serving(both, it, plant) as servers:
        for group, desk, server in (("vpn", it, servers[0]), ("NETZ", plant, servers[1]), ("acc", plant, servers[1])):
            event = desk.create("Gateway unreachable")
            await server.deliver(event)
            await server.idle()
            await server.deliver(desk.close(event.ticket_id, group))
            await server.idle()
    learnt = {review.ticket_key: review.roles for review in rows(both, Review)}
    assert learnt == {"it:1": ["Network"], "plant-2:1": ["Network"]}


async def test_only_roles_of_the_system_are_suggested(both: Parts, desks: tuple[Polled, Polled]) -> None:
    it, plant = desks
    text = "The light of the VPN box blinks, and it wants a password"
    async with serving(both, it, plant) as (at_it, at_plant):
        await at_it.deliver(it.create(text))
        await at_plant.deliver(plant.create(text))
        await at_it.idle()
    considered = {d.ticket_key: set(d.detail["probabilities"]) for d in rows(both, Decision)}
    assert considered == {"it:1": {"Network", "Accounts"}, "plant-2:1": {"Network", "Electrician"}}


async def test_each_look_starts_where_the_last_one_at_the_same_system_ended(
    both: Parts, desks: tuple[Polled, Polled]
) -> None:
    it, plant = desks
    for _ in range(2):
        assert [await poll_once(desk, both.database, asyncio.Event()) for desk in desks] == [0, 0]
    it.create("VPN is down")
    assert [await poll_once(desk, both.database, asyncio.Event()) for desk in desks] == [1, 0]
    marks = {row.source: row.value for row in rows(both, Watermark)}
    assert marks == {"it": "it 1", "plant-2": "plant-2 0"}
    assert (it.asked, plant.asked) == ([None, "it 0", "it 0"], [None, "plant-2 0", "plant-2 0"])


async def test_a_system_that_cannot_be_polled_is_not_asked(both: Parts, desks: tuple[Polled, Polled]) -> None:
    it, plant = desks
    it.capabilities = replace(it.capabilities, polls=False)
    async with serving(both, it, plant) as (server, _):
        await server.deliver(it.create("VPN is down"))
        await server.idle()
        await until_asked(plant, 1)
    assert it.asked == []


async def test_a_renamed_connector_goes_on_where_it_was(both: Parts, desks: tuple[Polled, Polled]) -> None:
    """Our comment is edited, not posted anew, though the mark of a new ticket would be another one by now."""
    it, _ = desks
    async with serving(both, it) as (server,):
        await until_asked(it, 1)
        await server.deliver(it.create("VPN is down"))
        await server.idle()
    both.database.call(connector_data.rename, "it", "office", lambda manifest: manifest)
    again = assemble(both.settings)
    it.source = "office"
    async with serving(again, it) as (server,):
        await server.deliver(it.reply("1", "/role accounts"))
        await server.idle()
        await until_asked(it, 2)
    (comment,) = it.comments("1")
    assert "Accounts" in comment.text
    assert (it.posts, it.edits) == (1, 1)
    (review,) = rows(again, Review)
    assert (review.ticket_key, review.rejected) == ("office:1", ["Network"])
    assert it.asked == [None, "it 0"], "the second server looks from where the first one ended"
    again.database.close()
