"""`rolecall backfill`: take in the closed tickets of a connected system, with the group that each ended in."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from agent.cli.console import Console, in_words
from agent.cli.options import CONFIG, ConfigOption, DataOption, day, must_be_there, settings_for

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from agent.desk.history import Tally
    from agent.first_day.survey import Told
    from agent.work.backfill import Progress as Come
    from connectors.base import Connector

GROUPS_SHOWN = 20
WORTH_SAYING_SECONDS = 5.0
A_YEAR = timedelta(days=365)


def backfill(
    name: Annotated[str, typer.Argument(help="Name of a connector: its table in the settings is \\[connectors.NAME].")],
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=day,
            metavar="YYYY-MM-DD",
            help="Tickets closed since this day (UTC).",
            show_default="a year ago",
        ),
    ] = None,
    messages: Annotated[
        bool, typer.Option("--messages", help="Read conversations, too, and cut from them how tickets were solved.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Look at all of it once more, as after new groups in roles.toml.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take out again what only backfill has brought, and begin anew next time.")
    ] = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Take in closed tickets from a connected system, each with its last group as a label, as weak as any closure's.

    Can be interrupted at any time: the next run goes on where this one ended. Waits where the system asks for it. The
    server may run meanwhile.
    """
    from agent import logs
    from agent.errors import BadInput

    settings = settings_for(config, data)
    logs.configure(settings.log_format, logging.WARNING)
    if undo:
        take_back(settings, name)
        return
    if name not in settings.connectors:
        there = f"there are {', '.join(sorted(settings.connectors))}" if settings.connectors else "there is none at all"
        raise BadInput(f"no connector is called {name}; {there}: see [connectors.NAME] in {config}")
    day = since.replace(tzinfo=UTC) if since else None
    if day is not None and day > datetime.now(UTC):
        raise BadInput(f"--since {day:%Y-%m-%d} is still to come")
    come = asyncio.run(run(settings, name, day, messages=messages, again=again))
    for line in told(name, come, settings):
        Console(highlight=False, soft_wrap=True).print(escape(line))


async def run(
    settings: Settings,
    name: str,
    since: datetime | None,
    *,
    messages: bool = False,
    again: bool = False,
    told_before: Told | None = None,
) -> Come:
    """Take in the history of a connector; `told_before` is what it has told of it already."""
    from agent.config.roles_file import load_roles
    from agent.core import mark_key, writer
    from agent.data_directory import DataDirectory
    from agent.desk.history import Intake
    from agent.first_day.survey import Remembering
    from agent.store.database import open_database
    from agent.store.tokens import DatabaseKeeper
    from agent.work import backfill as work

    roles, directory = load_roles(settings.roles), DataDirectory(settings.data)
    directory.create()
    database, connector = (
        open_database(settings.database_url, directory.database),
        settings.connectors[name].connect(name),
    )
    connector.tokens = DatabaseKeeper(database)
    known: Connector = cast("Connector", connector if told_before is None else Remembering(connector, told_before))
    intake = Intake(known, roles, settings.triage, mark_key(directory, database))
    before = database.call(work.progress_of, name)
    day = since or (before.since if before else (datetime.now(UTC) - A_YEAR).replace(hour=0, minute=0, second=0))
    try:
        with Shown(name, before.share if before and not again else 0.0) as shown:
            chosen = writer(settings, database) if messages else None
            return await work.backfill(intake, database, day, shown.show, again=again, writer=chosen)
    finally:
        await connector.aclose()
        database.close()


def take_back(settings: Settings, name: str) -> None:
    """Take out what only backfill has brought, and say how much that was."""
    from agent.data_directory import DataDirectory
    from agent.desk.history import take_out
    from agent.store.database import open_database

    must_be_there(settings)
    directory = DataDirectory(settings.data)
    directory.create()
    database = open_database(settings.database_url, directory.database)
    try:
        gone = database.call(take_out, name)
    finally:
        database.close()
    Console(highlight=False).print(f"{gone} tickets taken out again. Models that learnt from them: `rolecall models`.")


class Shown:
    """A bar with the time that is left; where nobody looks, a line for each tenth of the way."""

    def __init__(self, name: str, share: float) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bar = Progress(
            TextColumn(f"closed tickets of {name}"), BarColumn(), TextColumn("{task.description}"),
            console=self._console, transient=True,
        )  # fmt: skip
        self._line = self._bar.add_task("", total=1.0)
        self._bar.update(self._line, completed=share)
        self._began, self._tenth = time.monotonic(), int(10 * share)
        self._from: float | None = None

    def __enter__(self) -> Shown:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, come: Come, pause: float) -> None:
        """Show how far it has come, and for how long it waits."""
        words = f"{come.tally.looked} looked at, {come.tally.new} new{self._left(come.share)}"
        self._bar.update(self._line, completed=come.share, description=words)
        if pause >= WORTH_SAYING_SECONDS:
            self._console.print(f"the system asks to wait, or does not answer: going on in {in_words(pause)}")
        elif int(10 * come.share) > self._tenth and not self._console.is_terminal:
            self._tenth = int(10 * come.share)
            self._console.print(f"{come.share:.0%}: {words}")

    def _left(self, share: float) -> str:
        if self._from is None:  # what was there before the first answer took no time
            self._began, self._from = time.monotonic(), share
        gone = share - self._from
        seconds = (time.monotonic() - self._began) * (1 - share) / gone if gone > 0 else 0.0
        return f", about {in_words(seconds)} left" if seconds >= WORTH_SAYING_SECONDS else ""


def told(name: str, come: Come, settings: Settings, *, goes_on: bool = False) -> Iterator[str]:
    """Yield what became of the tickets and, unless the command goes on by itself, what to do next."""
    tally = come.tally
    yield f"{name}, closed since {come.since:%Y-%m-%d}: {tally.looked} tickets looked at, {tally.new} new labels"
    yield from _left_out(tally)
    if groups := sorted(tally.unclaimed.items(), key=lambda each: (-each[1], each[0])):
        yield f"{sum(tally.unclaimed.values())} tickets ended in groups that belong to no role, and were not taken in:"
        for group, count in groups[:GROUPS_SHOWN]:
            yield f"  {count:6} {f'{group!r}' if group else 'without a group'}"
        if len(groups) > GROUPS_SHOWN:
            yield f"  and {len(groups) - GROUPS_SHOWN} further groups"
        first = next((group for group, _ in groups if group), None)
        if first is not None:
            yield (
                f"Give each to a role in {settings.roles}, such as groups = {{ {name} = {first!r} }}, "
                f"then run `rolecall backfill {name} --again`."
            )
    yield f"Closed later: the poll finds it. Everything once more: `rolecall backfill {name} --again`."
    if tally.new and not goes_on:
        yield "Next: `rolecall train` learns from these tickets, `rolecall backtest` shows what would have been said."


def _left_out(tally: Tally) -> Iterator[str]:
    reasons = {
        "known before": tally.known,
        "left alone, as [triage] only and ignore say": tally.left_alone,
        "were forgotten, and stay so": tally.forgotten,
        "merged into others": tally.merged,
        "could not be read: the account lacks the right, or the answer made no sense": tally.refused,
    }
    for reason, count in reasons.items():
        if count:
            yield f"  {count:6} {reason}"
