"""`rolecall users`: who may sign in to the pages, and with what rights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from agent.cli.console import Console
from agent.cli.db import open_database
from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for
from agent.pages.signing.rights import Rights

app = typer.Typer(help="Add, list, reset and disable the accounts of the pages.", no_args_is_help=True)

BY = "command line"
"""Who did it, in the log."""

Name = Annotated[str, typer.Argument(help="Name of the account, whatever its case.")]
RightsOption = Annotated[Rights, typer.Option(help="viewer reads, reviewer says what is right, operator runs all.")]


@app.command()
def add(
    name: Name, rights: RightsOption = Rights.REVIEWER, config: ConfigOption = CONFIG, data: DataOption = None
) -> None:
    """Add an account, and print the one-time link by which its owner chooses a password."""
    from agent.pages.signing import users
    from agent.store.tables import utcnow

    with open_database(config, data) as database:
        token = database.call(users.add, name, rights, BY, utcnow())
    _link(name, token, config, data)


@app.command("list")
def list_(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """List the accounts, their rights, and whether they can sign in."""
    from agent.pages.signing import users

    with open_database(config, data) as database:
        rows = database.call(users.listed)
    for row in rows:
        state = "disabled" if row.disabled_at else "active" if row.password else "its link was not used yet"
        _print(f"{row.name}: {row.rights}, {state}")
    if not rows:
        _print("no account yet: `rolecall serve` shows a one-time link for the first one")


@app.command()
def reset(name: Name, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Take away the password, end all sessions, and print a new one-time link. A disabled account is so enabled."""
    from agent.pages.signing import users
    from agent.store.tables import utcnow

    with open_database(config, data) as database:
        token = database.call(users.reset, name, BY, utcnow())
    _link(name, token, config, data)


@app.command()
def disable(name: Name, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """End all sessions of an account, and let nobody sign in with it. What it has reviewed stays."""
    from agent.pages.signing import users
    from agent.store.tables import utcnow

    with open_database(config, data) as database:
        database.call(users.disable, name, BY, utcnow())
    _print(f"{name} is disabled")


@app.command("rights")
def rights_(name: Name, rights: RightsOption, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Give an account other rights, from its next click on."""
    from agent.pages.signing import users
    from agent.store.tables import utcnow

    with open_database(config, data) as database:
        database.call(users.change_rights, name, rights, BY, utcnow())
    _print(f"{name}: {rights}")


def _link(name: str, token: str, config: Path, data: Path | None) -> None:
    from agent.data_directory import DataDirectory
    from agent.pages.account import link
    from agent.web.running import local_url

    settings = settings_for(config, data)
    server = settings.server
    here = DataDirectory(settings.data).served_at() or local_url(server.host, server.port)
    _print(f"Give {name} this link, good for 7 days, once: {link(server.public_url, token, here)}")


def _print(line: str) -> None:
    Console(highlight=False, soft_wrap=True).print(escape(" ".join(line.splitlines())))
