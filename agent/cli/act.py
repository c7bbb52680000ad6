"""`rolecall act`: change one ticket in its own system now, as a person asks: its group, its tags, its subject."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.console import say
from agent.cli.db import open_database
from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for

if TYPE_CHECKING:
    from agent.core import Parts
    from agent.desk import Desk
    from agent.domain import Role
    from agent.store.actions import Acted, GroupMove
    from connectors.base import Connector
    from connectors.events import Ticket

app = typer.Typer(help="Change one ticket in its own system: its group, its tags, its subject.", no_args_is_help=True)

KEY = Annotated[str, typer.Argument(help="Key of a ticket, such as django-helpdesk:42.")]
ROLE = Annotated[str, typer.Argument(help="Name of a role, or one of its aliases.")]

SAID = {
    "done": "done",
    "overtaken": "left alone: a person has changed it since",
    "unsure": "left alone: the answer to an earlier attempt was lost, and people have said something since",
    "refused": "the system refuses it",
    "ignored": "the system took the request and changed nothing: does our account have the right to?",
}


@app.command()
def assign(key: KEY, role: ROLE, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Put the ticket into the role's group: the first that roles.toml names for its system."""
    from agent.desk.acting import act
    from agent.errors import BadInput
    from connectors.base import Field

    async def do(desk: Desk, source: str, ticket: Ticket) -> Acted:
        chosen = _role(desk, role)
        if (group := chosen.group(source)) is None:
            raise BadInput(f"role {chosen.name} has no group in {source}: name one in roles.toml")
        return await act(desk, source, ticket, Field.GROUP, group, asked=True)

    _run(do, key, config, data)


@app.command()
def tag(key: KEY, role: ROLE, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Add the role's tag to the ticket. Other tags stay."""
    from agent.desk.acting import act, tag_of
    from connectors.base import Field

    async def do(desk: Desk, source: str, ticket: Ticket) -> Acted:
        return await act(desk, source, ticket, Field.TAG, tag_of(_role(desk, role)), asked=True)

    _run(do, key, config, data)


@app.command()
def subject(
    key: KEY,
    text: Annotated[str, typer.Argument(help="The new subject.")],
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Give the ticket another subject."""
    from agent.desk.acting import act
    from agent.errors import BadInput
    from connectors.base import Field

    if not text.strip():
        raise BadInput("a subject needs a word")

    async def do(desk: Desk, source: str, ticket: Ticket) -> Acted:
        return await act(desk, source, ticket, Field.SUBJECT, " ".join(text.split()), asked=True)

    _run(do, key, config, data)


@app.command()
def moves(key: KEY, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """List when the ticket went from one group to another, as far as that is known."""
    from agent.store import actions

    with open_database(config, data) as database:
        rows = database.call(actions.of_ticket, key)
    for row in rows:
        say(_told(row))
    if not rows:
        say(f"no move of {key} is known")


def _told(row: GroupMove) -> str:
    who = ", by Rolecall" if row.ours else ""
    how = "" if row.told else ", as seen"
    return f"{row.at:%Y-%m-%d %H:%M} UTC {row.before or '?'} -> {row.after or '?'}{who}{how}"


def _role(desk: Desk, name: str) -> Role:
    from agent.errors import BadInput

    if (role := desk.classifier.catalogue.lookup(name)) is None:
        raise BadInput(f"there is no role {name}: see `rolecall roles`")
    return role


def _run(do: Callable[[Desk, str, Ticket], Awaitable[Acted]], key: str, config: Path, data: Path | None) -> None:
    """Read the ticket, change it, and say what became of that; exit code 1 where it was not changed."""
    from agent.errors import BadInput

    source, _, number = key.partition(":")
    parts = parts_for(config, data)
    try:
        if source not in parts.settings.connectors or not number:
            raise BadInput(f"{key} is no ticket of a connector: see `rolecall connectors list`")
        outcome = asyncio.run(_acted(do, parts, source, number))
    finally:
        parts.database.close()
    say(f"{key}: {SAID[outcome]}")
    if outcome != "done":
        raise typer.Exit(1)


async def _acted(do: Callable[[Desk, str, Ticket], Awaitable[Acted]], parts: Parts, source: str, number: str) -> Acted:
    """Change the ticket, with an earlier attempt's request awaited where there is one. Raises ConnectorError."""
    from agent.core import connect, mark_key
    from agent.desk import Desk
    from agent.feedback import accounts
    from agent.metrics import Metrics
    from agent.notes.speak import Speaker, Unsettled

    settings, database = parts.settings, parts.database
    settle = timedelta(seconds=settings.work.settle_seconds)
    shadow = settings.triage.shadow is True
    speaker = Speaker(database, mark_key(parts.directory, database), settle, shadow=shadow)
    connectors: dict[str, Connector] = connect(settings, database)
    desk = Desk(database, connectors, parts.classifier, speaker, Metrics())
    try:
        for account in database.call(accounts.stored, source):
            if account.ours:
                connectors[source].learn_author(account.account_id)
        while True:
            try:
                return await do(desk, source, await connectors[source].read_ticket(number))
            except Unsettled as wait:
                say(f"an earlier attempt may still be under way: waiting {wait.left:.0f} seconds")
                await asyncio.sleep(wait.left)
    finally:
        for connector in connectors.values():
            await connector.aclose()
