"""`rolecall comments`: remove what Rolecall wrote, as after a trial."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent.cli.console import Console, say
from agent.cli.db import open_database
from agent.cli.options import CONFIG, ConfigOption, DataOption, day, settings_for

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from agent.store.database import Database
    from connectors.base import Connector

app = typer.Typer(help="Remove the comments that Rolecall wrote, as after a trial.", no_args_is_help=True)

LINES = {
    "removed": "removed: {}",
    "words_left": "left with what a person wrote into them, and nothing of ours: {}",
    "replaced": "replaced by one word, since the helpdesk lets us remove none: {}",
    "gone": "gone before: {}",
    "unseen": "on tickets that the helpdesk does not show us, deleted or hidden from our account: {}",
    "kept": "still there, since the helpdesk lets us neither remove nor edit them: {}",
}


@app.callback()
def comments() -> None:
    """Make a group of what has one command so far."""


@app.command()
def remove(
    connector: Annotated[str | None, typer.Option(help="Only those on tickets of this connector.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=day, metavar="YYYY-MM-DD", help="Only those posted on this day (UTC) or later."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many there are, and remove none.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Remove Rolecall's own comments from the helpdesk, and nothing of anybody else's.

    What a person wrote into one of them stays. Decisions and what staff said are kept: Rolecall goes on knowing them.
    It can be interrupted and run again. On these tickets nothing is said any more.
    """
    from agent.errors import BadInput
    from agent.store import comments as store
    from agent.store import removals

    settings = settings_for(config, data)
    if connector is not None and connector not in settings.connectors:
        raise BadInput(f"there is no connector {connector}: see `rolecall connectors list`")
    sources = [connector] if connector else sorted(settings.connectors)
    if not sources:
        raise BadInput("connectors: none configured, so there is nothing to remove")
    day = since.replace(tzinfo=UTC) if since else None
    with open_database(config, data) as database:
        keys = database.call(partial(removals.posted_since, sources=sources, since=day))
        say(f"comments of Rolecall on tickets of {', '.join(sources)}: {len(keys)}")
        if not settings.triage.shadow and database.call(store.paused) is None:
            say("comments are on: a server that runs posts new ones; `rolecall queue pause` stops that")
        if dry_run or not keys:
            return
        if not yes:
            typer.confirm("Remove them? What people wrote into them stays.", abort=True)
        left = asyncio.run(_remove(settings, database, keys))
    for key, why in left:
        say(f"{key}: {why}")
    if left:
        raise typer.Exit(1)


async def _remove(settings: Settings, database: Database, keys: Sequence[str]) -> list[tuple[str, str]]:
    """Remove the comments on these tickets, showing how far that is, and return which are left and why."""
    from agent.core import connect, mark_key
    from agent.data_directory import DataDirectory
    from agent.domain import source_of
    from agent.notes.clearing import clear
    from agent.notes.speak import Speaker
    from connectors.errors import ConnectorError

    speaker = Speaker(
        database, mark_key(DataDirectory(settings.data), database), timedelta(seconds=settings.work.settle_seconds)
    )
    connectors = connect(settings, database)
    counts: Counter[str] = Counter()
    left: list[tuple[str, str]] = []
    try:
        _know_ourselves(connectors, set(map(source_of, keys)), database)
        columns = TextColumn("removing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=Console(), transient=True) as bar:
            task = bar.add_task("", total=len(keys))
            async for key, outcome in clear(speaker, connectors, keys):
                bar.advance(task)
                if isinstance(outcome, ConnectorError):
                    left.append((key, str(outcome)))
                else:
                    counts[str(outcome)] += 1
    finally:
        for connector in connectors.values():
            await connector.aclose()
        for name, count in counts.items():
            say(LINES[name].format(count))
    if left:
        say(f"not removed: {len(left)}; run the same command again, it goes on with these")
    return left


def _know_ourselves(connectors: Mapping[str, Connector], sources: Collection[str], database: Database) -> None:
    """Set the account that we comment with: only its comments are ours. Raises NotPossibleYet where it is not known."""
    from agent.errors import NotPossibleYet
    from agent.feedback import accounts

    for source in sources:
        ours = [account.account_id for account in database.call(accounts.stored, source) if account.ours]
        for account_id in ours:
            connectors[source].learn_author(account_id)
        if not connectors[source].author_id:
            raise NotPossibleYet(
                f"it is not known which account of {source} is ours: set connectors.{source}.author_id"
            )
