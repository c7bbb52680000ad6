"""`rolecall predict`: show the comment that a text would get."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer
from rich.markup import escape
from rich.padding import Padding

from agent.cli.console import Console
from agent.cli.encoder import remember
from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for


def predict(
    text: Annotated[
        str, typer.Argument(help="The ticket's subject, or all of it; behind -- if it begins with a dash.")
    ],
    body: Annotated[str, typer.Option(help="The ticket's body, where it has one.")] = "",
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Show the comment that a ticket with this text would get, and all that led to it. Posts nothing."""
    from agent.notes import wording
    from agent.notes.explaining import explained
    from agent.notes.phrasing import rendered, speak
    from agent.store import tickets, writings
    from agent.triage.explanation import explain
    from agent.writing.description import better_subject, in_short
    from agent.writing.thread import as_filed
    from connectors.base import Markup
    from connectors.events import Ticket
    from connectors.note import Note, Section, SectionKind

    parts = parts_for(config, data)
    speak(parts.settings.language, parts.settings.texts)
    remember(parts)
    roles = parts.classifier.catalogue.roles
    opinion = parts.classifier.opinion(text, body, date.today())
    alike, filed = [n.ticket_key for n in opinion.neighbours], Ticket("", text, body)
    subjects, fixes = parts.database.call(tickets.subjects, alike), parts.database.call(writings.fixes, alike)
    better, short = better_subject(as_filed(filed)), in_short(filed, parts.settings.writing.summary_above)
    console = Console(highlight=False)
    note = wording.of_opinion(opinion, wording.Beside(subjects, fixes, roles, subject=better, short=short))
    if note is not None:
        console.print(escape(rendered(note, Markup.MARKDOWN)))
        console.print()
    why = Note((Section(SectionKind.ANSWER, explained(explain(opinion), subjects, roles)),))
    for line in rendered(why, Markup.MARKDOWN).split("\n\n"):
        console.print(Padding(escape(line), (0, 0, 0, 2)))
    if opinion.left_out:
        console.print("\nWhat others wrote and a signature did not count:")
        console.print(Padding(escape(opinion.left_out), (0, 0, 0, 2)))
