"""`rolecall export`: known roles as a file, for other programs and for another installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for


def export(
    file: Annotated[Path, typer.Argument(help="Where to: FILE.csv or FILE.parquet.")],
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Write every ticket with a known role: its text, the role, who gave it, when, and how strong that is.

    `rolecall import` takes such a file back, also on another installation that has these roles, and loses none of it.
    The file holds the words of tickets: only you can read it.
    """
    from agent.cli.console import Console
    from agent.cli.db import open_database
    from agent.config.roles_file import load_roles
    from agent.errors import BadInput
    from agent.feedback.exporting import KINDS, known_roles, write

    if file.suffix.lower() not in KINDS:
        raise BadInput(f"{file}: a name ends in {' or '.join(KINDS)}")
    if not file.absolute().parent.is_dir():
        raise BadInput(f"{file}: there is no folder {file.absolute().parent}")
    settings = settings_for(config, data)
    catalogue = load_roles(settings.roles)
    with open_database(config, data) as database:
        count = database.call(lambda session: write(file, known_roles(session, catalogue)))
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"{count} tickets with a known role in {file}")
