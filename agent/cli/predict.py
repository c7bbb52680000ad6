"""`rolecall predict`: show the comment that a text would get."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for


def predict(
    text: Annotated[str, typer.Argument(help="The ticket's subject, or all of it.")],
    body: Annotated[str, typer.Option(help="The ticket's body, where it has one.")] = "",
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Show the comment that a ticket with this text would get, and every role's confidence. Posts nothing."""
    from agent.notes import wording
    from agent.notes.phrasing import percent
    from agent.notes.reasons import why_none
    from agent.store import tickets
    from agent.triage.cutoffs import Abstained
    from connectors.base import Markup
    from connectors.markup import render

    parts = parts_for(config, data)
    opinion = parts.classifier.opinion(text, body, date.today())
    subjects = parts.database.call(tickets.subjects, [n.ticket_key for n in opinion.neighbours])
    console = Console(highlight=False, soft_wrap=True)
    note = wording.of_opinion(opinion, subjects, roles=parts.classifier.catalogue.roles)
    none = isinstance(opinion.verdict, Abstained) and why_none(opinion, opinion.verdict)
    console.print(escape(render(note, Markup.MARKDOWN) if note else f"No suggestion. {none}"))
    table = Table("role", "confidence")
    for role, probability in opinion.ranked():
        table.add_row(escape(role), percent(probability))
    console.print(table)
    console.print(f"model: {opinion.model_version or 'none, rules alone'}")
