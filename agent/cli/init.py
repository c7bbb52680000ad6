"""`rolecall init`: from a helpdesk's address and a token to an installation that has learnt from its history."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli import backfill, backtest, check, db, serve, train
from agent.cli.asking import (
    Asker,
    connection,
    language_of,
    name_groups,
    pairs,
    roles_of,
    say,
    staff_of,
    tables_of,
)
from agent.cli.options import CONFIG, ConfigOption, DataOption, day, settings_for

if TYPE_CHECKING:
    from agent.first_day.connection import Answers
    from agent.first_day.files import Folder
    from agent.first_day.survey import Survey, Told

A_YEAR = timedelta(days=365)
SHOWN = 100


def init(
    kind: Annotated[str | None, typer.Option(help="Kind of system: `rolecall connectors show` lists them.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the connector.", show_default="the kind")] = None,
    url: Annotated[str | None, typer.Option(help="Where the system answers.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of this kind. May be repeated.")
    ] = None,
    public_url: Annotated[str | None, typer.Option(help="Where the system reaches Rolecall, for its webhooks.")] = None,
    language: Annotated[
        str | None, typer.Option(help="Of comments and pages: en, de, fr or es.", show_default="this terminal's")
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBER=NAME", help="A group that the system only numbers, as 2=HYD. May be repeated."),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(metavar="GROUP=ROLE", help="The role of a group, as HYD=Hydraulics. May be repeated."),
    ] = None,
    staff: Annotated[
        str | None, typer.Option(help="Accounts whose commands count, with commas.", show_default="as found")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=day, metavar="YYYY-MM-DD", help="Tickets closed since.", show_default="a year ago"),
    ] = None,
    bar: Annotated[float, typer.Option(min=0, max=1, help="Mined rules right less often become comments.")] = 0.8,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: options, variables and defaults answer.")] = False,
    learn: Annotated[bool, typer.Option(help="Take in the history, train and backtest.")] = True,
    start: Annotated[bool, typer.Option(help="Start the server at the end, in shadow mode.")] = True,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take back the files and secrets that init has written.")
    ] = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Connect a system, and make roles, rules and a first model of its history; starts in shadow mode.

    Asks for what no option says. Secrets are taken from the environment or .env, under the names that `rolecall
    connectors setup KIND` prints, or asked for. Can be repeated: files that you have changed are kept, and what is
    proposed is written beside them as NAME.new.
    """
    from agent.first_day.files import Folder

    folder = Folder(config.parent, Path(".env"), name or kind or "")
    if undo:
        for line in folder.undo() or ["nothing was written by init"]:
            say(line)
        return
    asker = Asker(yes)
    day = (since or datetime.now(UTC) - A_YEAR).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    answers = connection(asker, folder, config, kind, name, url, pairs(set_), public_url)
    folder = replace(folder, source=answers.name)
    answers, found, told = _reached(asker, folder, config, answers, pairs(set_), day)
    many = f"{found.closed} closed tickets in {len(found.groups)} groups"
    say(many if found.listed else f"{answers.needs.kind} cannot list what was closed")
    name_groups(asker, answers, found, told, {**_heard(answers, config, data), **pairs(group)})
    answers.given |= staff_of(asker, answers, found, staff)
    named = roles_of(asker, found, pairs(role), day)
    if not _write(asker, folder, answers, found, named, bar, config, language_of(asker, language)):
        return
    db.begin(config, data)
    _step("Check", lambda: check.check(config, data))
    if answers.steps_left:
        say(f"\nIn {answers.needs.kind}:\n{answers.steps_left.replace('{hook}', _hook(answers))}")
    if learn and found.listed:
        _learn(answers, day, told, config, data)
    elif learn:
        say("\nNothing is learnt yet: what is closed from now on teaches, and an export of the past does with")
        say("`rolecall import FILE`, then `rolecall train`.")
    say(f"\n{asker.asked} questions. Every role is in shadow: Rolecall decides and records, and posts nothing until")
    say("`rolecall ladder begin`, or a click on Roles. To take all of it back: first the tickets, then the files:")
    say(f"`rolecall backfill {answers.name} --undo`, `rolecall init --undo`.")
    if start and asker.yes("Start the server now?", default=not yes):
        serve.serve(config, data, None, None)
    else:
        say("Next: `rolecall serve`.")


def _reached(
    asker: Asker, folder: Folder, config: Path, answers: Answers, given: dict[str, str], day: datetime
) -> tuple[Answers, Survey, Told]:
    """Return what the system tells of itself; where it cannot be reached, ask again where it is and who asks."""
    from connectors.errors import ConnectorError

    while True:
        try:
            return answers, *asyncio.run(_survey(answers, day))
        except ConnectorError as error:
            if asker.alone:
                raise
            asked, kind, told = asker.asked, answers.needs.kind, answers.told
            say(f"  {error}")
            answers = connection(asker, folder, config, kind, answers.name, None, given, answers.public_url)
            answers.told |= told
            if asker.asked == asked:  # all of it was given
                raise


def _heard(answers: Answers, config: Path, data: Path | None) -> Mapping[str, str]:
    """Return the names of groups that webhooks have told since the system was connected."""
    from agent.cli.db import open_database
    from agent.first_day.heard import queue_names

    if not answers.needs.numbered or answers.name not in tables_of(config)[0]:
        return {}
    if not settings_for(config, data, begins=True).data.is_dir():
        return {}
    with open_database(config, data) as database:
        names = database.call(queue_names, answers.name)
    for number, name in sorted(names.items()):
        say(f"  queue {number} is {name}, as a webhook says")
    return names


async def _survey(answers: Answers, since: datetime) -> tuple[Survey, Told]:
    from agent.first_day.survey import Remembering, Told, survey

    connector = answers.needs.connect(answers.name, answers.given, answers.secrets, answers.hook_secret)
    told = Told()
    try:
        say((await connector.check()).split(";")[0])
        with backfill.Shown(answers.name, 0.0) as shown:
            found = await survey(Remembering(connector, told), since, shown.show)
        if connector.author_id:
            answers.given.setdefault("author_id", connector.author_id)
        return found, told
    finally:
        await connector.aclose()


def _write(
    asker: Asker,
    folder: Folder,
    answers: Answers,
    found: Survey,
    named: Mapping[str, str],
    bar: float,
    config: Path,
    language: str,
) -> bool:
    """Propose roles and rules, and write the files; return whether the settings connect the system now."""
    from agent.config.roles_file import load_roles
    from agent.first_day import proposal
    from agent.first_day.files import Put

    own = None if folder.replaceable("roles.toml") else load_roles(folder.path / "roles.toml")
    if own is not None:
        named = {group: role.name for group in found.groups if (role := own.of_group(answers.name, group))}
    rules, proposed = proposal.mined(found.tickets, proposal.roles(found.groups, named))
    rules = [rule for rule in rules if own is None or own.lookup(rule.role)]
    say("Roles:")
    for line in proposal.shown(proposed):
        say(line)
    if not asker.yes("Write these roles? (their names can be changed in roles.toml; keep the aliases)"):
        return False
    hooks = {} if answers.needs.hook is None else {"webhook_secrets": f'["{answers.hook_secret}"]'}
    kept = folder.secrets({answers.variable(key): value for key, value in (answers.secrets | hooks).items()})
    say(f"{folder.dotenv}: {', '.join(kept) or 'has all secrets already'}")
    roles, mined = proposal.roles_file(answers.name, proposed), proposal.rules_file(rules, bar)
    for file, text in {"roles.toml": roles, "rules.toml": mined}.items():
        put, path = folder.put(file, text)
        say(f"{folder.path / file} {put}{f' ({path})' if put is Put.BESIDE else ''}")
    if answers.name in tables_of(config)[0] and not folder.replaceable(config.name):
        say(f"{config} connects {answers.name} already, and is kept")
        return True
    table = proposal.connector_table(answers.name, answers.needs.kind, answers.given)
    base, alone = folder.base(config.name)
    put, path = folder.put(
        config.name,
        proposal.settings_file(
            base,
            table,
            shadow=alone,
            public_url=answers.public_url if alone else "",
            polled=alone and answers.needs.hook is None,
            language=language if alone else "",
        ),
    )
    say(f"{config} {put}{f' ({path})' if put is Put.BESIDE else ''}")
    if put is Put.BESIDE:
        say(f"Compare both, move {path} to {config}, and run `rolecall init` again: it goes on from there.")
    return put is not Put.BESIDE


def _learn(answers: Answers, day: datetime, told: Told, config: Path, data: Path | None) -> None:
    settings = settings_for(config, data)
    come = asyncio.run(backfill.run(settings, answers.name, day, told_before=told))
    for line in backfill.told(answers.name, come, settings, goes_on=True):
        say(line)
    _step("Train", lambda: train.train("rolecall init", "frozen", config, data))
    _step("What Rolecall would have said", lambda: backtest.backtest(SHOWN, False, config, data))


def _step(title: str, do: Callable[[], object]) -> None:
    """Run a step; what keeps it from succeeding is said, and does not keep the others from it."""
    from agent.errors import RolecallError

    say(f"\n{title}:")
    try:
        do()
    except RolecallError as error:
        say(f"not yet: {error}")
    except typer.Exit:
        say("Mend what is marked above; `rolecall check` looks again.")


def _hook(answers: Answers) -> str:
    ending = answers.hook_secret if answers.needs.hook else ""
    return "/".join(filter(None, (answers.public_url.rstrip("/"), "hooks", answers.name, ending)))
