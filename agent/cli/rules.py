"""`rolecall rules`: try the keyword rules on a text, and measure them on reviewed tickets."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from agent.cli import layout
from agent.cli.console import Console
from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for, settings_for

ROLE_SHOWN = 18  # characters
CONFLICTS = 5
NAMED = 10

app = typer.Typer(help="Try the keyword rules on a text, and measure them on reviewed tickets.", no_args_is_help=True)


@app.command("test")
def try_(
    text: Annotated[
        str, typer.Argument(help="The ticket's subject, or all of it; behind -- if it begins with a dash.")
    ],
    body: Annotated[str, typer.Option(help="The ticket's body, where it has one.")] = "",
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Show which rules match a text, where, and the total weight of each role."""
    from agent.config.roles_file import load_roles
    from agent.config.rules_file import load_rules
    from agent.text.reading import read
    from heuristics import tally, vetoed

    settings = settings_for(config, data)
    rules = load_rules(settings.rules, load_roles(settings.roles))
    reading = read(text, body)
    hits = rules.match(reading.subject, reading.body, date.today())
    table = Table("rule", "role", "says", "weight", "matched", "in")
    for hit in hits:
        place = f"{hit.field} {hit.start}-{hit.end}"
        table.add_row(escape(hit.rule_id), escape(hit.role), hit.kind, f"{hit.weight:g}", escape(hit.phrase), place)
    console = Console(highlight=False)
    console.print(table if hits else "no rule matches")
    if reading.left_out:
        console.print(f"Not looked at (what others wrote, or a signature):\n{escape(reading.left_out)}")
    barred = vetoed(hits)
    for role, weight in tally(hits).items():
        console.print(f"{escape(role)}: {weight:g}{' (vetoed)' if role in barred else ''}")


@app.command()
def report(
    every: Annotated[bool, typer.Option("--all", help="Show every rule.")] = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Show for every rule how many reviewed tickets it matches, and how often its role was the right one."""
    from agent.errors import NotPossibleYet
    from agent.store import tickets
    from heuristics import Kind
    from heuristics.report import ReviewedText
    from heuristics.report import report as report_on

    parts = parts_for(config, data)
    reviewed = [
        ReviewedText(e.ticket_key, *e.words, e.roles, e.filed_at.date())
        for e in parts.database.call(tickets.examples, parts.classifier.catalogue)
    ]
    if not reviewed:
        raise NotPossibleYet("there is no reviewed ticket yet: `rolecall import` takes in tagged ones")
    found = report_on(parts.classifier.rules, reviewed)
    console, table = layout.console(), layout.table("rule, worst first", "role", "tickets", "right", "95 %", "against")
    hit = sorted((f for f in found.rules if f.tickets), key=lambda f: (f.right - f.tickets, -f.tickets))
    most = len(hit) if every else layout.ROLES_SHOWN
    for f in hit[:most]:
        low, high = f.interval
        role = f"{'not ' * (f.rule.kind == Kind.VETO)}{f.rule.role}"
        role = role if len(role) <= ROLE_SHOWN else f"{role[: ROLE_SHOWN - 1]}…"
        shares = f"{f.right / f.tickets:.0%}", f"{low:.0%}-{high:.0%}"
        layout.row(table, f.rule.id, layout.line(role).plain, f.tickets, *shares, f.conflicts)
    console.print(table)
    if more := layout.left_out(hit, most, "rules, with fewer wrong ones"):
        console.print(more)
    for f in [f for f in hit[:most] if f.against][:CONFLICTS]:
        against = ", ".join(f"{rule} ({count})" for rule, count in f.against[:2])
        console.print(layout.line(f"{f.rule.id} is contradicted mostly by {against}"))
    if dead := [f.rule.id for f in found.rules if not f.tickets]:
        console.print(layout.line(f"{len(dead)} rules match no reviewed ticket: {_some(dead, every=every)}"))
    console.print(
        f"{found.tickets} reviewed tickets: a rule matches {found.covered}, the rules alone decide {found.decided} "
        f"and are right on {found.right}"
    )


def _some(names: list[str], *, every: bool) -> str:
    more = 0 if every else len(names) - NAMED
    return ", ".join(names if more <= 0 else names[:NAMED]) + (f" and {more} more" if more > 0 else "")
