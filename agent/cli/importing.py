"""`rolecall import`: import tickets whose roles people have given already."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track

from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for

CHUNK = 500


def import_(
    file: Annotated[Path, typer.Argument(help="A .csv with a header, or a .jsonl with one object a line; UTF-8.")],
    source: Annotated[
        str, typer.Option(help="Name of the system that the tickets come from; part of their keys.")
    ] = "import",
    id_column: Annotated[str, typer.Option("--id")] = "id",
    subject_column: Annotated[str, typer.Option("--subject")] = "subject",
    body_column: Annotated[str, typer.Option("--body")] = "body",
    role_column: Annotated[str, typer.Option("--role", help="Name or alias; several separated by `;`.")] = "role",
    created_column: Annotated[str, typer.Option("--created-at", help="ISO 8601; without a zone: UTC.")] = "created_at",
    skip_bad: Annotated[bool, typer.Option(help="Import the valid rows even if others are faulty.")] = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Import tickets with the roles that people gave them, as reviewed tickets to learn from.

    If any row is faulty, nothing is imported, unless --skip-bad is given; all faults are listed with their lines.
    Importing a file again adds only what is new, so an import can be interrupted and repeated. A ticket that comes with
    another role than in its last import is reviewed anew: that is how a wrong role is corrected.
    """
    from agent.errors import BadInput
    from agent.feedback.importing import FAULTS_SHOWN, Columns, read, take_in

    parts = parts_for(config, data)
    columns = Columns(id_column, subject_column, body_column, role_column, created_column)
    history = read(file, columns, parts.classifier.catalogue)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for fault in history.faults[:FAULTS_SHOWN]:
        console.print(escape(fault))
    if len(history.faults) > FAULTS_SHOWN:
        console.print(f"... and {len(history.faults) - FAULTS_SHOWN} more")
    if history.faults and not skip_bad:
        raise BadInput(f"{len(history.faults)} faulty rows, nothing imported: correct them, or give --skip-bad")
    chunks = [history.rows[i : i + CHUNK] for i in range(0, len(history.rows), CHUNK)]
    new = sum(
        parts.database.call(take_in, source, chunk, _importer(), parts.classifier.catalogue)
        for chunk in track(chunks, "importing", console=console, transient=True)
    )
    console.print(f"{new} new reviewed tickets of {len(history.rows)} rows; {len(history.faults)} rows skipped")


def _importer() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # containers run under numbers that no list of users knows
        return f"uid {os.getuid()}"
