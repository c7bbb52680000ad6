"""`rolecall decisions`: what was decided on the latest tickets, and why nothing was said."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.cli import layout
from agent.cli.db import open_database
from agent.cli.options import CONFIG, ConfigOption, DataOption

WAITING = "`rolecall queue status` shows what waits"
WHOLE_KEY = "its key begins with the helpdesk's name in the settings, such as django-helpdesk:42"


def decisions(
    key: Annotated[
        str | None, typer.Argument(metavar="[TICKET]", help="Key of a ticket, such as django-helpdesk:42; else of all.")
    ] = None,
    ticket: Annotated[str | None, typer.Option(help="The same as an option.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many decisions at most.")] = 20,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """List the latest decisions, newest first: which role was suggested, or why none.

    A decision is recorded before anything is posted, and also where nothing is: in shadow mode, or during a pause. Of
    a ticket's latest one it says why no comment is there.
    """
    from agent.domain import Outcome
    from agent.errors import BadInput
    from agent.notes.decided import decided, not_posted
    from agent.store import comments, tickets

    if key is not None and ticket is not None:
        raise BadInput("name one ticket: as the argument, or by --ticket")
    ticket = key if ticket is None else ticket
    with open_database(config, data) as database:
        rows = database.call(tickets.latest_decisions, limit, ticket)
        keys = list(dict.fromkeys(row.ticket_key for row in rows))
        subjects, paused = database.call(tickets.subjects, keys), database.call(comments.paused)
        missing = {key: not_posted(database.call(comments.get, key), paused) for key in keys}
    console = layout.console()
    for row in rows:
        head = f"{row.at:%Y-%m-%d %H:%M} UTC {row.ticket_key} {subjects.get(row.ticket_key, '')}"
        why = missing.pop(row.ticket_key, None)
        told = f"; not posted: {why}" if why and row.outcome != Outcome.NONE else ""
        layout.entry(console, head, f"{decided(row)}{told}")
    if not rows:
        where = f" on {ticket}" if ticket else ""
        next_step = WHOLE_KEY if ticket and ":" not in ticket else WAITING
        console.print(layout.line(f"no decision yet{where}: {next_step}"), soft_wrap=True)
