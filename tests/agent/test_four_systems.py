"""One installation for four systems at once, two of one kind, each as its shipped manifest talks to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import TypeAdapter
from sqlmodel import select

from agent.app import create_app
from agent.config.settings import Settings, TriageSettings, WorkSettings
from agent.core import Parts, assemble
from agent.store.tables import Comment, Decision, Review
from agent.work.poll import poll_once
from connectors.events import Delivery
from connectors.manifest import placeholders
from connectors.manifest.connector import ManifestConnector
from tests.connectors.systems.fake import BOT, TECH, Fake, Ticket
from tests.connectors.systems.installed import SYSTEMS, kind, raw, signed
from tests.desk import Desk
from tests.serving_app import Running, unharmed

pytestmark = pytest.mark.anyio

KINDS = {"web": "github", "field": "github", "office": "zammad", "plant": "redmine"}
ROLES = """
[[role]]
name = "Network"
groups = { web = "net", field = "net", office = "2nd Level", plant = "Grid" }
[[role]]
name = "Electrician"
groups = { web = "ele", field = "ele", office = "Pumps & Drives", plant = "Maintenance" }
"""
RULES = '[[rule]]\nid = "vpn"\nrole = "Network"\nkeywords = ["vpn"]\n'


def secret(source: str) -> str:
    return f"the-secret-of-{source}-16"


def connector(source: str, fake: Fake) -> ManifestConnector:
    made = kind(KINDS[source])
    given = {"url": fake.url, "author_id": str(BOT), "staff": [str(TECH)], **fake.settings}
    given |= {name: f"the-{name}" for name in made.manifest.secrets}
    given |= {"webhook_secrets": secret(source)} if made.manifest.receive else {}
    settings = TypeAdapter(made.settings).validate_python(given)
    base = placeholders.address(made.manifest.api.base, {name: getattr(settings, name) for name in given})
    client = httpx.AsyncClient(base_url=base, transport=httpx.MockTransport(fake))
    return ManifestConnector(KINDS[source], source, made.manifest, settings, client)


def told(source: str, ticket: Ticket, **more: object) -> Delivery:
    """Return the webhook that tells of a new ticket, or of a comment on it."""
    if KINDS[source] == "zammad":
        body = {"ticket": {"id": ticket.id, "created_by_id": 7, "updated_by_id": 7}, "article": {}}
        return signed("zammad", raw(body), secret(source), {}, "created")
    issue = {"number": ticket.id, "title": ticket.subject, "created_at": "2026-11-02T07:14:03Z", "user": {"id": 7}}
    repository = {"full_name": "nordhafen/field-ops"}
    body = {"action": "opened", "issue": issue, "repository": repository, "sender": {"id": 7}, **more}
    event = "issue_comment" if more else "issues"
    return signed("github", raw(body), secret(source), {"X-GitHub-Event": event}, "")


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    (tmp_path / "roles.toml").write_text(ROLES)
    (tmp_path / "rules.toml").write_text(RULES)
    places = {"data": tmp_path / "data", "roles": tmp_path / "roles.toml", "rules": tmp_path / "rules.toml"}
    made = assemble(Settings(**places, work=WorkSettings(settle_seconds=0.2), triage=TriageSettings(silent_below=0.05)))
    yield made
    made.database.close()


@asynccontextmanager
async def serving(parts: Parts, connectors: dict[str, ManifestConnector]) -> AsyncIterator[Running]:
    app = create_app(parts, connectors, ("false",))
    with unharmed():
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rolecall") as client,
        ):
            yield Running(parts, client, Desk())


async def sent(server: Running, source: str, delivery: Delivery) -> int:
    path = f"/hooks/{source}/{delivery.segment}".rstrip("/")
    return (await server.client.post(path, content=delivery.body, headers=dict(delivery.headers))).status_code


def rows(parts: Parts, table: type) -> list:
    return list(parts.database.call(lambda session: session.exec(select(table)).all()))


async def test_four_systems_share_roles_and_model_and_nobody_opens_the_hook_of_another(parts: Parts) -> None:
    fakes = {source: SYSTEMS[name]() for source, name in KINDS.items()}
    connectors = {source: connector(source, fake) for source, fake in fakes.items()}
    await poll_once(connectors["plant"], parts.database, asyncio.Event())
    tickets = {source: fake.file("VPN is down", "no gateway") for source, fake in fakes.items()}
    assert len({ticket.id for ticket in tickets.values()}) == 1, "the same number everywhere"
    assert await poll_once(connectors["plant"], parts.database, asyncio.Event()) == 1

    async with serving(parts, connectors) as server:
        hooked = [source for source in KINDS if source != "plant"]
        statuses = {
            (own, other): await sent(server, other, told(own, tickets[own])) for own in hooked for other in KINDS
        }
        assert statuses == {(own, other): 202 if own == other else 401 for own in hooked for other in KINDS}
        await server.idle()
        said = {source: [comment.text for comment in ticket.comments] for source, ticket in tickets.items()}
        assert {source: len(texts) for source, texts in said.items()} == dict.fromkeys(KINDS, 1)
        assert all("Network" in texts[0] for texts in said.values())

        word = fakes["field"].say(tickets["field"], "/role electrician", TECH)
        comment = {"id": word.id, "body": word.text, "user": {"id": TECH}, "created_at": "2026-11-02T08:00:00Z"}
        comment |= {"author_association": "MEMBER", "updated_at": "2026-11-02T08:00:00Z"}
        answer = told("field", tickets["field"], action="created", comment=comment)
        assert await sent(server, "field", answer) == 202
        await server.idle()

    decisions = rows(parts, Decision)
    assert {decision.ticket_key for decision in decisions} == {f"{source}:{tickets[source].id}" for source in KINDS}
    assert len({(decision.model_version, decision.rules_version) for decision in decisions}) == 1
    assert len({comment.marker for comment in rows(parts, Comment)}) == 4
    assert [(review.ticket_key, review.roles) for review in rows(parts, Review)] == [
        (f"field:{tickets['field'].id}", ["Electrician"])
    ]
    after = {source: tickets[source].comments[0].text for source in KINDS}
    assert {source: after[source] == said[source][0] for source in KINDS} == {
        source: source != "field" for source in KINDS
    }
    assert "Electrician" in after["field"]
