"""`rolecall ladder`: how far each role may go by itself, what it has shown for it, and moving it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.console import say
from agent.cli.db import open_database
from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from agent.ladder.moving import Ladder
    from agent.ladder.rehearsal import Rehearsal
    from agent.ladder.standing import Place
    from agent.store.database import Database
    from agent.store.stages import Stage, StageMove
    from connectors.base import Connector

app = typer.Typer(help="Say how far each role may go by itself: shadow, comment, tag, assign.")

BY = "command line"
"""Who did it, in the log."""

SHOWN = 10

ROLE = Annotated[str, typer.Argument(help="Name of a role, or one of its aliases.")]
STAGE = Annotated[str, typer.Argument(help="shadow, comment, tag or assign.")]
DRY = Annotated[bool, typer.Option("--dry-run", help="Move nothing; say what the stage would have done lately.")]
LAST = Annotated[int, typer.Option(min=1, max=10_000, help="Tickets that a dry run looks at.")]

CAPPED = "[triage] shadow = true keeps every role in shadow: take it out of the settings, and restart the server"
DOES = {"tag": "tagged", "assign": "put into its group"}
WHY = {
    "taken": "taken",
    "policy": "taken by itself, [ladder] policy",
    "lowered": "lowered",
    "checks": "lowered by itself: right in {right} of {count} random checks",
    "people": "lowered by itself: people left {right} of {count} tickets as Rolecall had changed them",
}


@app.callback(invoke_without_command=True)
def show(context: typer.Context, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """List the stage of each role, its evidence, what is offered, and what the next stage lacks."""
    if context.invoked_subcommand is not None:
        return
    from agent.ladder.standing import places
    from agent.store.tables import utcnow

    def listed(settings: Settings, database: Database, ladder: Ladder) -> None:
        share = settings.checks.share
        found = database.call(places, ladder, share, utcnow())
        for line in _head(found, ladder):
            say(line)
        for place in found:
            say("; ".join(_told(place, share)))

    _with(config, data, listed)


@app.command()
def take(
    role: ROLE,
    stage: STAGE,
    dry_run: DRY = False,
    last: LAST = 500,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Raise a role to a stage that is offered to it."""
    from agent.ladder import moving
    from agent.store.tables import utcnow

    def taken(settings: Settings, database: Database, ladder: Ladder) -> None:
        wanted = _stage(stage)
        if dry_run:
            for line in _rehearsed(settings, database, ladder, role, wanted, last):
                say(line)
            return
        move = database.call(moving.take, ladder, role, wanted, BY, utcnow())
        say(f"{move.role}: {move.stage}")
        if ladder.shadow:
            say(f"but {CAPPED}")

    _with(config, data, taken)


@app.command()
def lower(role: ROLE, stage: STAGE, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Take a role down to a lower stage. It counts from the next ticket on."""
    from agent.ladder import moving
    from agent.store.tables import utcnow

    def lowered(settings: Settings, database: Database, ladder: Ladder) -> None:
        wanted = _stage(stage)
        move = database.call(moving.lower, ladder, role, wanted, BY, utcnow())
        say(f"{move.role}: {move.stage}")

    _with(config, data, lowered)


@app.command()
def begin(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Begin to comment: move every role that is in shadow to comment."""
    from agent.ladder import moving
    from agent.store.tables import utcnow

    def begun(settings: Settings, database: Database, ladder: Ladder) -> None:
        moved = database.call(moving.begin, ladder, BY, utcnow())
        say("every role comments from the next ticket on" if moved else "no role is in shadow")
        if ladder.shadow:
            say(f"but {CAPPED}")

    _with(config, data, begun)


def _head(found: list[Place], ladder: Ladder) -> Iterator[str]:
    from agent.store.stages import Stage

    if ladder.shadow:
        yield CAPPED
    elif found and all(place.stage is Stage.SHADOW for place in found):
        yield "nothing is posted: `rolecall ladder begin` moves every role to comment"


def _told(place: Place, share: float) -> Iterator[str]:
    """Yield the parts of a role's line."""
    yield f"{place.role}: {place.taken.word}"
    checks, acts = place.shown.checks, place.shown.acts
    if checks.count:
        low = checks.interval[0]
        yield f"right in {checks.right} of {checks.count} random checks, at least {low:.0%} in the long run"
    else:
        yield "no clear suggestion was checked at random yet"
    if acts.count:
        yield f"{acts.right} of the latest {acts.count} tickets that it was given stayed so"
    if place.last is not None:
        yield _moved(place.last)
    if place.offered is not None:
        yield f"offered is {place.offered.word}: `rolecall ladder take {place.role} {place.offered.word}`"
    if place.next is not None:
        yield f"{place.next.word} needs {place.least:.0%}: {_lacks(place, share)}"


def _moved(move: StageMove) -> str:
    who = f" by {move.who}" if move.who else ""
    return f"{WHY[move.why].format(right=move.right, count=move.count)}{who} on {move.at:%Y-%m-%d}"


def _lacks(place: Place, share: float) -> str:
    if place.lacking is None:
        return "too many are wrong; more checks do not help"
    checks = f"{place.lacking} more right check{'' if place.lacking == 1 else 's'}"
    if place.days is None:
        return f"{checks}, and none comes ([checks] share = {share:g})"
    return f"{checks}, some {max(round(place.days), 1)} days at [checks] share = {share:g}"


def _rehearsed(
    settings: Settings, database: Database, ladder: Ladder, role: str, stage: Stage, last: int
) -> Iterator[str]:
    from agent.core import connect
    from agent.ladder.moving import named
    from agent.ladder.rehearsal import rehearse

    name = named(ladder, role)
    connectors = connect(settings, database, renew=False)
    changes = {source: connector.capabilities.changes for source, connector in connectors.items()}
    found = database.call(rehearse, ladder.catalogue, name, stage, changes, last)
    asyncio.run(_close(connectors.values()))
    yield f"dry run: of the latest {found.looked} tickets, {found.clear} were clear for {name}"
    if stage.word in DOES:
        yield from _done(found, name, stage.word)


async def _close(connectors: Iterable[Connector]) -> None:
    for connector in connectors:
        await connector.aclose()


def _done(found: Rehearsal, role: str, stage: str) -> Iterator[str]:
    done = f"{found.changed} would have been {DOES[stage]}"
    yield f"{done}; on {found.agreed} people said {role}, on {found.unsaid} nothing"
    if found.there:
        yield f"{found.there} are in its group already"
    if found.cannot:
        yield f"{found.cannot} cannot be: their system cannot be changed so, or they need several roles"
    wrong = found.otherwise or {}
    for key, roles in list(wrong.items())[:SHOWN]:
        yield f"wrong: {key} is {' and '.join(roles) or 'none of ours'}"
    if len(wrong) > SHOWN:
        yield f"wrong: {len(wrong) - SHOWN} more"


def _stage(word: str) -> Stage:
    from agent.errors import BadInput
    from agent.store.stages import Stage

    try:
        return Stage.of(word)
    except KeyError:
        raise BadInput(f"{word} is no stage: shadow, comment, tag or assign") from None


def _with(config: Path, data: Path | None, do: Callable[[Settings, Database, Ladder], None]) -> None:
    from agent.config.roles_file import load_roles
    from agent.ladder.moving import Ladder

    settings = settings_for(config, data)
    ladder = Ladder(load_roles(settings.roles), settings.ladder, shadow=settings.triage.shadow is True)
    with open_database(config, data) as database:
        do(settings, database, ladder)
