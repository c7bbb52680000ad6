"""`rolecall import`: import tickets whose roles people have given already."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import track

from agent.cli.console import Console, foretold
from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for, settings_for

if TYPE_CHECKING:
    from agent.feedback.form import Told
    from agent.feedback.history import History
    from agent.feedback.importing import Reviewed

CHUNK = 500
SOURCE = "import"
ROWS_SHOWN = 5
EXCERPT = 70

ColumnOption = Annotated[str | None, typer.Option(help="Column of a field.", show_default="guessed from the names")]
EncodingOption = Annotated[str | None, typer.Option(help="Such as utf-8, utf-16 or cp1252.", show_default="guessed")]
SeparatorOption = Annotated[
    str | None, typer.Option(help="Between cells: a character, or tab.", show_default="guessed")
]
DatesOption = Annotated[
    str | None,
    typer.Option(help="day-first, month-first, or none: rows in the order of filing.", show_default="guessed"),
]


def import_(
    file: Annotated[Path, typer.Argument(help="Rows below a header (CSV, tabs, .xlsx), or objects (JSON).")],
    source: Annotated[
        str | None,
        typer.Option(
            help="System that the tickets come from; part of their keys.", show_default="import, or as exported"
        ),
    ] = None,
    id_column: Annotated[str | None, typer.Option("--id", help="Column of the id.", show_default="guessed")] = None,
    subject_column: Annotated[
        str | None, typer.Option("--subject", help="... of the subject.", show_default="guessed")
    ] = None,
    body_column: Annotated[str | None, typer.Option("--body", help="... of the text.", show_default="guessed")] = None,
    role_column: Annotated[
        str | None,
        typer.Option("--role", help="... of names or aliases; several in a cell: `;`.", show_default="guessed"),
    ] = None,
    created_column: Annotated[
        str | None,
        typer.Option("--created-at", help="... of the time of filing; no zone: UTC.", show_default="guessed"),
    ] = None,
    encoding: EncodingOption = None,
    separator: SeparatorOption = None,
    dates: DatesOption = None,
    skip_bad: Annotated[bool, typer.Option(help="Import the valid rows even if others are faulty.")] = False,
    dry_run: Annotated[
        bool, typer.Option(help="Show the first rows as they are understood, and import nothing.")
    ] = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Import tickets with the roles that people gave them, as reviewed tickets to learn from.

    Says how it understands the file; each guess has an option. If any row is faulty, nothing is imported, unless
    --skip-bad is given. Importing a file again adds only new tickets and changed roles, so an import can be interrupted
    and repeated, and a wrong role mended.
    """
    from agent.config.roles_file import load_roles
    from agent.errors import BadInput
    from agent.feedback.history import read
    from agent.feedback.importing import take_in
    from agent.store.run_times import Work

    fields = ("id", "subject", "body", "role", "created_at")
    columns = dict(zip(fields, (id_column, subject_column, body_column, role_column, created_column), strict=True))
    history = read(file, told(columns, encoding, separator, dates), load_roles(settings_for(config, data).roles))
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    show(history, console)
    if dry_run:
        for row in islice(history.rows(), ROWS_SHOWN):
            console.print(escape(_in_one_line(row)))
        console.print(
            f"{history.valid} row{'s' * (history.valid != 1)} would be imported"
            f"{_rest(history, skipped='could not be')}: this was a dry run"
        )
        return
    if history.faulty and not skip_bad:
        raise BadInput(
            f"{history.faulty} faulty rows, nothing imported: correct them, name missing roles or their aliases in "
            "roles.toml, or give --skip-bad"
        )
    parts = parts_for(config, data, fresh=True)
    chunks = track(_chunks(history, source), "importing", -(-history.valid // CHUNK), console=console, transient=True)
    importer, catalogue = _importer(), parts.classifier.catalogue
    with foretold(console, parts.database, Work.IMPORT, history.valid, f"importing {history.valid} rows"):
        new = sum(parts.database.call(take_in, source or SOURCE, chunk, importer, catalogue) for chunk in chunks)
    known = f", {history.valid - new} known before" if new < history.valid else ""
    console.print(f"{new} new reviewed tickets of {rows_in(history)} rows{known}{_rest(history)}")
    console.print("Next: `rolecall rules report` measures your rules, `rolecall train` learns from these tickets.")


def told(columns: dict[str, str | None], encoding: str | None, separator: str | None, dates: str | None) -> Told:
    """Return what the options say of a file. Raises BadInput."""
    from agent.errors import BadInput
    from agent.feedback.dates import Dates
    from agent.feedback.form import Told

    if dates is not None and dates not in set(Dates):
        raise BadInput(f"--dates {dates}: can be {', '.join(Dates)}")
    return Told(columns, encoding, separator, Dates(dates) if dates else None)


def show(history: History, console: Console) -> None:
    """Print how a file is understood, and its first faults."""
    for line in (*history.form.in_words(), *history.faults):
        console.print(escape(line))
    if history.faulty > len(history.faults):
        console.print(f"{history.faulty} faulty rows in all")


def rows_in(history: History) -> int:
    """Return how many rows the file has."""
    return history.valid + history.repeated + history.faulty


def _rest(history: History, skipped: str = "skipped") -> str:
    repeated = f", {history.repeated} repeat another" if history.repeated else ""
    return f"{repeated}; {history.faulty} {'rows ' * (skipped == 'skipped')}{skipped}"


def _in_one_line(row: Reviewed) -> str:
    from agent.text.reading import one_line

    text = one_line(f"{row.subject} | {row.body}")
    shown = text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"
    return f"  {one_line(row.id)} | {row.filed_at:%Y-%m-%d %H:%M} | {', '.join(row.roles)} | {shown}"


def _chunks(history: History, source: str | None) -> Iterator[list[Reviewed]]:
    """Yield the rows, a few hundred at a time; a source that was named goes before the one of an exported file."""
    rows = (replace(row, helpdesk=source or row.helpdesk) for row in history.rows())
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _importer() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # containers run under numbers that no list of users knows
        return f"uid {os.getuid()}"
