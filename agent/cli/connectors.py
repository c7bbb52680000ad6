"""`rolecall connectors`: list, rename and remove connectors, with the data kept of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.console import say
from agent.cli.db import open_database
from agent.cli.options import CONFIG, ConfigOption, DataOption, must_be_there, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.settings import Settings
    from agent.domain import RoleCatalogue
    from agent.store.connector_data import Held
    from agent.store.database import Database

app = typer.Typer(
    help="List connected systems; show, set up and try kinds of them; rename a connector, or remove one that is gone.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(help="Name of a connector: its table in the settings is \\[connectors.NAME].")]


@app.command("list")
def list_(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """List connectors with the data kept of each, including names that only tickets still have."""
    from agent.store.connector_data import Held, held

    settings = settings_for(config, data)
    with open_database(config, data) as database:
        kept = database.call(held)
    for name in sorted({*kept, *settings.connectors}):
        chosen = settings.connectors.get(name)
        hook = chosen.hook(name) if chosen else None
        what = f"{chosen.kind}, {f'hook {hook}' if hook else 'polled'}" if chosen else "not connected"
        say(f"{name}: {what}; {_amount(kept.get(name, Held()))}")
    if not kept and not settings.connectors:
        say("no connector, and no ticket: `rolecall connectors show` lists the kinds, config/agent.toml connects one")


@app.command()
def rename(
    old: Name,
    new: Annotated[str, typer.Argument(help="The new name.")],
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Rename a connector in all stored data, so that its comments, reviews and models keep working.

    Let the server finish its open events, then stop it before renaming. Settings, secrets, roles and the system's
    webhooks have to be changed by hand: the command lists these changes at the end.
    """
    from agent.config.loading import LONGEST_NAME, is_name
    from agent.config.roles_file import load_roles
    from agent.data_directory import DataDirectory
    from agent.errors import BadInput
    from agent.serving.renamed_tickets import rename_in_models, renamed
    from agent.store import connector_data

    if not is_name(new) or new == old:
        raise BadInput(f"{new!r} is no new name: up to {LONGEST_NAME} of a-z, 0-9 and single -, a letter first")
    settings = settings_for(config, data)
    catalogue = load_roles(settings.roles)
    with _alone(config, data) as database:
        if not database.call(connector_data.held).keys() & {old, new}:
            raise BadInput(f"nothing is kept of {old}; see `rolecall connectors list`")
        tickets = database.call(connector_data.rename, old, new, lambda raw: renamed(raw, old, new))
        models = rename_in_models(DataDirectory(settings.data).models, old, new)
        clustered = database.clustered
    say(f"{tickets} tickets and {models} models renamed. Now change by hand:")
    for line in _by_hand(old, new, settings, catalogue, clustered):
        say(f"- {line}")


@app.command()
def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Drop the open events of a connector that is gone. Its tickets and reviews are kept, to learn from."""
    from agent.errors import BadInput
    from agent.store import connector_data
    from agent.store.tables import utcnow

    with _alone(config, data) as database:
        kept = database.call(connector_data.held).get(name)
        if kept is None:
            raise BadInput(f"nothing is kept of {name}; see `rolecall connectors list`")
        say(
            f"kept: {kept.tickets} tickets and {kept.reviews} reviews, to learn from; {kept.comments} marks of comments"
        )
        say(f"dropped: {kept.open} open events, {kept.dead} set aside, and how far its poll had come")
        if not yes:
            typer.confirm(f"Remove {name}?", abort=True)
        dropped = database.call(connector_data.remove, name, utcnow())
    say(f"{name} removed, {dropped} events dropped")
    if name in settings_for(config, data).connectors:
        say(f"take [connectors.{name}] out of {config} before you start the server")


@contextmanager
def _alone(config: Path, data: Path | None) -> Iterator[Database]:
    """Open the database while no server works on it. Raises DataDirectoryBusy or NotPossibleYet."""
    from agent.data_directory import DataDirectory
    from agent.store import servers

    settings = settings_for(config, data)
    must_be_there(settings)
    directory = DataDirectory(settings.data)
    directory.create()
    with directory.serving(), open_database(config, data) as database:
        database.call(servers.require_none)
        yield database


def _amount(kept: Held) -> str:
    polled = f", polled {kept.polled_at:%Y-%m-%d %H:%M} UTC" if kept.polled_at else ""
    return f"{kept.tickets} tickets, {kept.reviews} reviews, {kept.open} open events, {kept.dead} set aside{polled}"


def _by_hand(old: str, new: str, settings: Settings, catalogue: RoleCatalogue, clustered: bool) -> Iterator[str]:
    if chosen := settings.connectors.get(old):
        yield f'settings: [connectors.{old}] becomes [connectors.{new}], with kind = "{chosen.kind}"'
    before, after = (f"ROLECALL_CONNECTORS__{name.upper().replace('-', '_')}__" for name in (old, new))
    yield f"secrets: {before}... become {after}..."
    yield f"the system's webhooks: /hooks/{old}/... becomes /hooks/{new}/..."
    if roles := [role.name for role in catalogue.roles if old in role.groups]:
        yield f"{settings.roles}: groups of {old} become groups of {new}, of the roles {', '.join(roles)}"
    if clustered:
        yield "every other server on this database: run the same command there, for the models in its data directory"
