"""`rolecall queue`: waiting events, those set aside, and the pause of all comments."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.console import say
from agent.cli.db import open_database
from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for

if TYPE_CHECKING:
    from sqlmodel import Session

    from agent.store.tables import Inbox

app = typer.Typer(
    help="Show waiting events; list, retry and drop those set aside; pause all comments.", no_args_is_help=True
)


class State(StrEnum):
    """The state of an event that is not done."""

    SET_ASIDE = "set-aside"
    WAITING = "waiting"
    WORKING = "working"


STORED = {State.SET_ASIDE: "dead"}
"""What the database calls a state, where people say it differently."""

Number = Annotated[int, typer.Argument(help="Number of the event, as `rolecall queue list` shows it.")]


@app.command()
def status(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Show how many events wait, and for how long, how many are set aside, and whether comments are paused."""
    from agent.cli import queue_status
    from agent.data_directory import DataDirectory
    from agent.store import stages
    from agent.store.stages import Stage
    from agent.store.status import figures, left_alone, rate
    from agent.store.tables import utcnow
    from agent.web.running import local_url

    settings = settings_for(config, data)
    with open_database(config, data) as database:
        now, pace, alone = database.call(figures), database.call(rate, utcnow()), database.call(left_alone)
        hidden = database.call(stages.hidden, Stage.of(settings.ladder.start))
    shadow = settings.triage.shadow
    for line in queue_status.lines(now, pace, utcnow(), shadow=shadow, hidden=hidden, left_alone=alone):
        say(line)
    directory, server = DataDirectory(settings.data), settings.server
    say(queue_status.of_server(directory.served_at() or local_url(server.host, server.port)))


@app.command("list")
def list_(
    state: Annotated[State, typer.Option(help="State of the events.")] = State.SET_ASIDE,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """List events, oldest first."""
    from agent.store import dead_letters

    with open_database(config, data) as database:
        rows = database.call(dead_letters.listed, STORED.get(state, state), limit)
    for row in rows:
        say(f"{row.seq}  {row.ticket_key}  {row.kind}  attempts {row.attempts}  {row.error or ''}")
    if not rows:
        say(f"no event is {state.replace('-', ' ')}")
    elif state is State.SET_ASIDE:
        say("Next: `rolecall queue retry NUMBER` or `--all` once the cause is mended; `rolecall queue drop NUMBER`.")


@app.command()
def show(number: Number, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Show one event as received, including the text of the ticket."""
    with open_database(config, data) as database:
        row = database.call(_row, number)
    for name in ("seq", "source", "delivery_id", "kind", "ticket_key", "state", "attempts", "crashes", "error"):
        say(f"{name}: {getattr(row, name)}")
    say(f"received_at: {row.received_at.isoformat()}")
    say(f"event: {row.event!r}" if row.event else "event: deleted, because it was done long ago")


@app.command()
def retry(
    number: Annotated[int | None, typer.Argument(help="Number of an event that was set aside.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Retry all that were set aside.")] = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Retry one event that was set aside, or all of them, for example after a token was renewed."""
    from agent.errors import BadInput
    from agent.store import dead_letters
    from agent.store.tables import utcnow

    if (number is None) != every:
        raise BadInput("give the number of an event that was set aside (`rolecall queue list`), or --all")
    with open_database(config, data) as database:
        numbers = database.call(dead_letters.dead) if number is None else [number]
        retried = sum(database.call(dead_letters.retry, one, utcnow()) for one in numbers)
    if not retried and not every:
        raise BadInput(f"event {number} was not set aside: `rolecall queue list` shows which were")
    say(f"{retried} put back" if retried else "nothing is set aside")


@app.command()
def drop(number: Number, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Drop an event that was set aside: it is never retried, but stays on record."""
    from agent.errors import BadInput
    from agent.store import dead_letters

    with open_database(config, data) as database:
        if not database.call(dead_letters.drop, number):
            raise BadInput(f"event {number} was not set aside: `rolecall queue list` shows which were")
    say(f"{number} dropped")


@app.command()
def pause(
    reason: Annotated[str, typer.Option(help="Shown by `rolecall queue status` and in the log.")] = "by hand",
    keep_answering: Annotated[bool, typer.Option(help="Pause suggestions only: commands are still answered.")] = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Pause all comments on all servers. Suggestions are still recorded, and commands carried out."""
    from agent.config.whereabouts import data_folder
    from agent.data_directory import DataDirectory
    from agent.store.pausing import pause_file

    folder = data_folder(config, data)
    if folder is not None:  # at once, and whatever else is wrong with the settings
        directory = DataDirectory(folder)
        directory.found()
        directory.create()
        if pause_file(directory.database, reason, keep_answering=keep_answering):
            return say("comments: paused")
    from agent.store import comments

    with open_database(config, data) as database:
        database.call(partial(comments.pause, reason=reason, keep_answering=keep_answering))
    say("comments: paused")


@app.command()
def resume(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Resume comments, those withheld too, as `comments_per_hour` allows. The brakes count only later corrections."""
    from agent.store import resumption
    from agent.store.tables import utcnow

    sources = settings_for(config, data).connectors.keys()
    with open_database(config, data) as database:
        left = database.call(resumption.resume, sources, utcnow())
    say(f"comments: on; tickets to catch up on: {left}" if left else "comments: on")


def _row(session: Session, number: int) -> Inbox:
    from agent.errors import BadInput
    from agent.store.tables import Inbox

    row = session.get(Inbox, number)
    if row is None:
        raise BadInput(
            f"there is no event {number}: `rolecall queue list` shows what was set aside, --state what waits"
        )
    return row
