"""`rolecall connectors read`: what a connector understands of a ticket, and what stays unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for
from agent.cli.systems import print_line

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from connectors.events import Message, Ticket

UNKNOWN = "unknown"
LONGEST = 60
"""Characters of a text that are shown."""


def read(
    name: Annotated[str, typer.Argument(help="A connector of the settings.")],
    ticket: Annotated[str, typer.Argument(help="The ticket's number or key there.")],
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Show what a connector understands of a ticket, and what stays unknown. Changes nothing, and keeps nothing."""
    from agent.errors import BadInput, NotPossibleYet
    from connectors.errors import ConnectorError, TicketNotFound

    settings = settings_for(config, data, begins=True)
    if name not in settings.connectors:
        there = f"there are {', '.join(sorted(settings.connectors))}" if settings.connectors else "there is none at all"
        raise BadInput(f"no connector is called {name}; {there}: see [connectors.NAME] in {config}")
    try:
        found, ours = asyncio.run(_read(settings, name, ticket))
    except TicketNotFound as error:
        raise BadInput(f"{name} has no ticket {ticket}, or hides it from our account: {error}") from None
    except ConnectorError as error:
        raise NotPossibleYet(f"{error}; `rolecall check` says whether {name} answers") from None
    for line in told(found, ours):
        print_line(line)


async def _read(settings: Settings, name: str, number: str) -> tuple[Ticket, str]:
    """Return a ticket, and our account, "" where nothing tells it. Raises ConnectorError."""
    from agent.data_directory import DataDirectory
    from agent.feedback import accounts
    from agent.store.database import newest_version
    from agent.store.read_only import looked_at
    from agent.store.tokens import DatabaseKeeper

    with looked_at(settings.database_url, DataDirectory(settings.data).database) as there:
        connector = settings.connectors[name].connect(name)
        if there is not None and there.version() == newest_version():
            connector.tokens = DatabaseKeeper(there, renew=False)
            for account in there.call(accounts.stored, name):
                if account.ours:
                    connector.learn_author(account.account_id)
        try:
            await connector.check()
            return await connector.read_ticket(number), connector.author_id
        finally:
            await connector.aclose()


def told(ticket: Ticket, ours: str) -> Iterator[str]:
    """Yield what is known of a ticket, a line each."""
    yield f'ticket {ticket.id}, {"closed" if ticket.closed else "open"}: "{_short(ticket.subject)}"'
    yield f'text: "{_short(ticket.body)}"'
    parts = ("group", "requester", "assignee", "priority", "tags", "created_at", "closed_at", "merged_into", "url")
    for part in parts:
        value = getattr(ticket, part)
        value = ", ".join(value) or "none" if isinstance(value, tuple) else value
        yield f"{part}: {UNKNOWN if value is None else value}"
    yield f"messages: {len(ticket.messages)}, the oldest first"
    yield from (f"  {_said(message, ours)}" for message in ticket.messages)
    yield f"our account: {ours or 'not known: set author_id, or the first comment tells it'}"


def _said(message: Message, ours: str) -> str:
    author = message.author_id or UNKNOWN
    named = f", {message.author_name}" if message.author_name else ""
    who = f"{author}, which is ours" if ours and author == ours else f"{author}{named} ({message.author_kind})"
    at = message.created_at.isoformat() if message.created_at else f"at an {UNKNOWN} time"
    return f'{message.id or "without an id"} by {who}, {message.visibility}, {at}: "{_short(message.text)}"'


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"
