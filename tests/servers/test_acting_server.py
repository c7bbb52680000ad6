"""`rolecall act` on a real django-helpdesk: a ticket goes to a role's queue, once, and stays where people put it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.demo.helpdesk import HelpdeskServer
from agent.errors import BadInput
from agent.store.database import Database
from connectors.base import Change, Field
from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings
from connectors.errors import Permanent, TicketNotFound
from tests.servers.receiver import Receiver

pytestmark = pytest.mark.xdist_group("helpdesk")

ROLES = (
    '[[role]]\nname = "Network"\naliases = ["net"]\ngroups = { django-helpdesk = "HYD" }\n[[role]]\nname = "Night"\n'
)


@pytest.fixture
def options(tmp_path: Path, settings: DjangoHelpdeskSettings) -> list[str]:
    queues = ", ".join(f'{number} = "{slug}"' for number, slug in settings.queues.items())
    (tmp_path / "roles.toml").write_text(ROLES)
    (tmp_path / "rules.toml").write_text("")
    (tmp_path / "agent.toml").write_text(
        f'rules = "rules.toml"\nroles = "roles.toml"\n[work]\nsettle_seconds = 1\n'
        f'[connectors.django-helpdesk]\nurl = "{settings.url}"\ntoken = "{settings.token}"\n'
        f'webhook_secrets = "{settings.webhook_secrets[0]}"\nqueues = {{ {queues} }}\n'
    )
    (tmp_path / "data").mkdir()
    Database.open_file(tmp_path / "data/rolecall.sqlite3").close()
    return ["--config", str(tmp_path / "agent.toml"), "--data", str(tmp_path / "data")]


def test_a_ticket_goes_where_it_is_sent_and_is_told_with_its_moves(
    options: list[str],
    tech: httpx.Client,
    helpdesk: HelpdeskServer,
    receiver: Receiver,
    file_ticket: Callable[..., str],
) -> None:
    number = file_ticket()
    key = f"django-helpdesk:{number}"
    receiver.deliveries.clear()

    def act(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["act", *words, *options], env={"COLUMNS": "200"})
        assert result.exit_code == code, (result.output, result.exception)
        return result.output

    def shown() -> tuple[int, str, int]:
        row = tech.get(f"/api/tickets/{number}/").json()
        return row["queue"], row["title"], len(row["followup_set"])

    assert f"no move of {key} is known" in act("moves", key)
    assert f"{key}: done" in act("assign", key, "net")
    assert f"{key}: done" in act("subject", key, " Grab opens  {{ x }} #12 ")
    assert shown() == (helpdesk.queues["HYD"], "Grab opens {{ x }} #12", 1)
    assert "WO" in act("moves", key)
    assert "HYD, by Rolecall, as seen" in act("moves", key)
    assert receiver.deliveries == []  # the helpdesk tells nobody
    for words, reason in (
        (("assign", key, "Night"), "no group"),
        (("assign", key, "Nobody"), "rolecall roles"),
        (("assign", "plant:1", "net"), "rolecall connectors list"),
        (("subject", key, " "), "a word"),
    ):
        result = CliRunner().invoke(app, ["act", *words, *options])
        assert isinstance(result.exception, BadInput)
        assert reason in str(result.exception)


@pytest.mark.anyio
async def test_what_the_helpdesk_does_not_take_is_refused(
    connector: DjangoHelpdesk, file_ticket: Callable[..., str]
) -> None:
    number = await asyncio.to_thread(file_ticket)
    for change in (Change(Field.SUBJECT, "x" * 300), Change(Field.GROUP, "nowhere"), Change(Field.SUBJECT, " \0")):
        with pytest.raises(Permanent):
            await connector.change_ticket(number, change)
    with pytest.raises(Permanent):
        await connector.read_moves(number)
    with pytest.raises(TicketNotFound):
        await connector.change_ticket("999999", Change(Field.SUBJECT, "x"))
