"""`rolecall forget`: delete what is kept of a ticket, of a person, or of all tickets before a day."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.console import say
from agent.cli.db import open_database
from agent.cli.options import CONFIG, ConfigOption, DataOption, day, settings_for

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from agent.fitting.job import Progress
    from agent.keeping.forget import Done


NOTHING = (
    "0 tickets to forget: `rolecall decisions` lists the keys of tickets. The request itself is noted, for backups "
    "that are restored later."
)


def forget(
    ticket: Annotated[str | None, typer.Option(help="Key of a ticket, such as django-helpdesk:42.")] = None,
    requester: Annotated[
        str | None, typer.Option(help="A person, as the helpdesk names them: all tickets that they filed.")
    ] = None,
    before: Annotated[
        datetime | None,
        typer.Option(parser=day, metavar="YYYY-MM-DD", help="A day (UTC): all tickets filed before it."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not edit our comments in the helpdesk that quote such a ticket.")
    ] = False,
    no_train: Annotated[bool, typer.Option("--no-train", help="Do not train anew; the next night does.")] = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Delete texts, reviews, embeddings and decisions for good, and models that learnt from them; then train anew.

    Delete or redact the tickets in the helpdesk first: what it still has and sends again is taken in again. A server
    may run meanwhile.
    """
    from agent.core import connect, mark_key
    from agent.data_directory import DataDirectory
    from agent.errors import BadInput
    from agent.keeping.forget import forget as forget_noted
    from agent.keeping.forget import note_of
    from agent.keeping.forgetting import find
    from agent.learning.turn import turn
    from agent.store.tables import utcnow

    if sum(given is not None for given in (ticket, requester, before)) != 1:
        raise BadInput("say what to forget: one of --ticket, --requester and --before")
    if ticket is not None and ":" not in ticket:
        raise BadInput(
            f"{ticket} is no key of a ticket: it begins with the helpdesk's name, as django-helpdesk:{ticket}"
        )
    settings = settings_for(config, data)
    directory = DataDirectory(settings.data)
    with open_database(config, data) as database:
        key = mark_key(directory, database)
        day = before.date() if before else None
        note = note_of(key, utcnow(), ticket=ticket, requester=requester, before=day)
        found = len(database.call(find, key, [note]).tickets)
        say(f"{found} tickets to forget" if found else NOTHING)
        if not yes:
            typer.confirm("Forget them, and the models that learnt from them?", abort=True)

        async def in_turn() -> Done:
            connectors = None if offline else connect(settings, database)
            try:
                async with turn(directory.path, _report, database):
                    return await forget_noted(database, directory, key, connectors, [note])
            finally:
                for connector in (connectors or {}).values():
                    await connector.aclose()

        done = asyncio.run(in_turn())
    say(f"{done.tickets} tickets forgotten; {done.comments} comments on other tickets quoted one")
    if done.unknown_requesters:
        say(f"{done.unknown_requesters} tickets are kept of which it is not known who filed them: see --ticket")
    say(f"models that had learnt from them, deleted: {', '.join(done.versions) or 'none'}")
    if done.versions and not no_train:
        _train(settings)


def _train(settings: Settings) -> None:
    from agent.cli.train import trainer_of
    from agent.errors import NotPossibleYet
    from agent.learning.turn import cancelled_by_sigterm
    from agent.packages import TRAINING, missing

    if reason := missing(*TRAINING):
        say(f"not trained anew here: {reason}")
        return
    say("training anew; until that has ended an older model serves, or rules and similar tickets decide")
    try:
        run = asyncio.run(cancelled_by_sigterm(trainer_of(settings).train("forget")))
    except NotPossibleYet as error:
        say(f"not trained anew: {error}")
        return
    say(f"{run.outcome}: {run.version}, {run.reason or ''}")


def _report(progress: Progress) -> None:
    say(progress.phase)
