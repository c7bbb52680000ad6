"""`rolecall backup`: save the installation in one file, while its server runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.console import say
from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for

DOTENV = Path(".env")


def backup(
    file: Annotated[
        Path, typer.Argument(help="The file to write, such as rolecall-monday.zip; none may be there yet.")
    ],
    without_secrets: Annotated[
        bool, typer.Option("--without-secrets", help="Leave out tokens, webhook secrets and API keys.")
    ] = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Save database, key of our comments' marks, models and configuration in one file, and compare it with them.

    A server may run meanwhile. `rolecall restore` puts the file back.
    """
    from agent.core import mark_key
    from agent.data_directory import DataDirectory
    from agent.keeping.backup import back_up
    from agent.store.read_only import looked_at
    from agent.store.tables import utcnow

    settings = settings_for(config, data)
    directory = DataDirectory(settings.data)
    if without_secrets:
        say(f"{file}: without tokens, webhook secrets and API keys; its texts of tickets and the key of our marks stay")
    else:
        say(f"{file} will hold secrets (tokens, webhook secrets, keys) and texts of tickets: keep it as one of them")
    began = time.monotonic()
    with looked_at(settings.database_url, directory.database) as database:
        key = mark_key(directory, database) if database is not None else b""  # which `back_up` refuses
    saved = back_up(settings, config, DOTENV, key, file, utcnow(), with_secrets=not without_secrets)
    for name in saved.left_out:
        say(f"{name} is left out: a secret in it cannot be told from the rest")
    if settings.database_url is not None:
        say("the database is PostgreSQL's own business: save it with pg_dump, see deploy/README.md")
    if settings.secrets.sources:
        say(f"what sources of secrets hold ({', '.join(settings.secrets.sources)}) is not in it")
    seconds = time.monotonic() - began
    say(f"{file}: {saved.size >> 20} MB, {len(saved.manifest.members)} files, compared in {seconds:.0f} s")
