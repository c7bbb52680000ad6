"""`rolecall users`: who may sign in to the pages, and with what rights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from agent.cli.console import Console, say
from agent.cli.db import open_database
from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for
from agent.pages.signing.rights import Rights

if TYPE_CHECKING:
    from agent.store.people import User

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
        say(f"{row.name}: {row.rights}, {state}, {_sees(row)}")
    if not rows:
        say("no account yet: `rolecall serve` shows a one-time link for the first one")


@app.command()
def reset(name: Name, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Take away the password, end all sessions and tokens, print a new one-time link. Enables a disabled account."""
    from agent.pages.signing import users
    from agent.store.tables import utcnow

    with open_database(config, data) as database:
        token = database.call(users.reset, name, BY, utcnow())
    _link(name, token, config, data)


@app.command()
def disable(name: Name, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """End all sessions and tokens of an account, and let nobody sign in with it. What it has reviewed stays."""
    from agent.pages.signing import users
    from agent.store.tables import utcnow

    with open_database(config, data) as database:
        database.call(users.disable, name, BY, utcnow())
    say(f"{name} is disabled")


@app.command("rights")
def rights_(name: Name, rights: RightsOption, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Give an account other rights, from its next click on."""
    from agent.pages.signing import users
    from agent.store.tables import utcnow

    with open_database(config, data) as database:
        database.call(users.change_rights, name, rights, BY, utcnow())
    say(f"{name}: {rights}")


@app.command()
def limit(
    name: Name,
    helpdesk: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A helpdesk whose tickets it sees. May be repeated.")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A group whose tickets it sees. May be repeated.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Take the limit away: it sees every ticket.")] = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Limit an account to the tickets of some helpdesks, of some groups, or of both at once, from its next click on."""
    from agent.errors import BadInput
    from agent.pages.signing import users
    from agent.store.tables import utcnow

    helpdesks, groups = tuple(helpdesk or ()), tuple(group or ())
    if bool(helpdesks or groups) is everything:
        raise BadInput("name what it sees, with --helpdesk and --group, or give --all alone: it sees every ticket then")
    there = settings_for(config, data).connectors
    if strange := [one for one in helpdesks if one not in there]:
        raise BadInput(f"there is no helpdesk {', '.join(strange)}; these are there: {', '.join(there) or 'none'}")
    with open_database(config, data) as database:
        made = database.call(users.limit, name, helpdesks, groups, BY, utcnow())
    say(f"{made.user.name}: {_sees(made.user)}")
    for one in made.empty:
        _warn(f"No ticket is in a group {one} now: is that how the helpdesk spells it?")


@app.command()
def token(
    name: Name,
    expires: Annotated[int, typer.Option(help="For how many days it is good.")] = 90,
    label: Annotated[str, typer.Option(help="What it is for, as lists show it.")] = "command line",
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Make a token by which a program acts for an account, with its rights. It is shown this once."""
    from agent.pages.signing import tokens
    from agent.store.tables import utcnow

    with open_database(config, data) as database:
        made = database.call(tokens.make, name, label, expires, BY, utcnow())
    say(made)
    _warn(f"This token acts for {name} for {expires} days; it is not shown again. `rolecall users revoke` ends it.")


@app.command("tokens")
def tokens_(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """List the tokens of all accounts: number, what for, until when, when last used."""
    from agent.pages.signing import tokens
    from agent.store.tables import utcnow

    with open_database(config, data) as database:
        rows = database.call(tokens.listed)
    for row in rows:
        state = "expired" if row.expires_at <= utcnow() else "good until"
        used = f"last used {row.used_at:%Y-%m-%d}" if row.used_at else "never used"
        say(f"{row.id}: {row.user_key}, {row.name}, {state} {row.expires_at:%Y-%m-%d}, {used}")
    if not rows:
        say("no token yet: `rolecall users token NAME` makes one")


@app.command()
def revoke(
    number: Annotated[int, typer.Argument(help="Number of the token, as `rolecall users tokens` lists it.")],
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """End a token at once."""
    from agent.errors import BadInput
    from agent.pages.signing import tokens
    from agent.store.tables import utcnow

    with open_database(config, data) as database:
        ended = database.call(tokens.revoke, number, BY, utcnow())
    if ended is None:
        raise BadInput(f"there is no token {number}: `rolecall users tokens` lists them")
    say(f"{ended.name} of {ended.user_key} is ended")


def _sees(user: User) -> str:
    """Return which tickets an account sees."""
    named = (("helpdesk", user.helpdesks), ("group", user.groups))
    parts = [f"{word}{'s' * (len(names) > 1)} {', '.join(names)}" for word, names in named if names]
    return f"sees {' and '.join(parts)} only" if parts else "sees every ticket"


def _link(name: str, token: str, config: Path, data: Path | None) -> None:
    from agent.data_directory import DataDirectory
    from agent.pages.account import link
    from agent.web.running import local_url

    settings = settings_for(config, data)
    server = settings.server
    here = DataDirectory(settings.data).served_at() or local_url(server.host, server.port)
    say(f"Give {name} this link, good for 7 days, once: {link(server.public_url, token, here)}")


def _warn(line: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(escape(line))
