"""`rolecall doctor`: write one file for a bug report, without secrets and without words of tickets."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from agent.cli.console import Console
from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for

FILE = Path("rolecall-doctor.json")


def doctor(
    file: Annotated[Path, typer.Argument(help="The file to write; none may be there yet.")] = FILE,
    log: Annotated[Path | None, typer.Option(help="The server's log (JSON lines), for its last lines.")] = None,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Write versions, settings, findings, numbers, sizes and metrics into a file to send on. It changes nothing else.

    No secret is in it, and no word of a ticket: numbers, and words that are Rolecall's own.
    """
    from agent import logs
    from agent.checks import look
    from agent.checks.report import report
    from agent.keeping.archive import new_file
    from agent.store.tables import utcnow

    settings = settings_for(config, data)
    logs.configure(settings.log_format, logging.ERROR)
    with look(config, settings) as installation:
        text = report(installation, log, utcnow())
    with new_file(file) as (written, _):
        written.write(text.encode())
    told = f"{file}: {len(text) / 1024:.0f} kB; look into it before you send it"
    Console(highlight=False, soft_wrap=True).print(escape(told))
