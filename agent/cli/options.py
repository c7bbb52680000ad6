"""Options that many commands share, and the settings and parts loaded from them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from agent.config.secrets import Secrets
    from agent.config.settings import Settings
    from agent.core import Installation, Parts

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="Settings file; environment variables ROLECALL_... override it.")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", "-d", help="Data directory.", show_default="setting `data`, else ./data")
]


def day(text: str) -> datetime:
    """Return the day that somebody typed."""
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d")
    except ValueError:
        raise typer.BadParameter(f"{text} is no day: write it as YYYY-MM-DD, such as 2026-11-30") from None


CONFIG = Path("config/agent.toml")


def settings_for(
    config: Path, data: Path | None, secrets: Secrets | None = None, *, begins: bool = False, **overrides: Any
) -> Settings:
    """Load the settings, overridden by the command line (`__` in a name stands for a dot).

    Only a command that `begins` an installation makes the folder that --data names beside another one.
    """
    from agent.config import loading as configuration
    from agent.data_directory import DataDirectory
    from agent.errors import BadInput

    if data is not None and not (above := data.absolute().parent).is_dir():
        raise BadInput(f"--data {data}: there is no folder {above}: is the name right, and its disk there?")
    if data is not None and not begins and not data.is_dir() and DataDirectory(data).nearest():
        DataDirectory(data).found()
    given = {name.replace("__", "."): value for name, value in overrides.items() if value is not None}
    return configuration.load(config, overrides=given | ({"data": str(data)} if data else {}), secrets=secrets)


def reload_for(config: Path, data: Path | None, **overrides: Any) -> Callable[[], Settings]:
    """Return a function that reloads the same settings, keeping its sources of secrets open."""
    from agent.config.secrets import Secrets

    return partial(settings_for, config, data, secrets=Secrets(), begins=True, **overrides)


def parts_for(
    config: Path, data: Path | None, *, level: int = logging.WARNING, fresh: bool = False, **overrides: Any
) -> Parts:
    """Load the settings, configure the log at `level`, and assemble the parts that answer tickets.

    `fresh`: where there is no installation yet, this begins one.
    """
    from agent import logs
    from agent.core import assemble

    settings = settings_for(config, data, **overrides)
    logs.configure(settings.log_format, level)
    if not fresh:
        must_be_there(settings)
    return assemble(settings)


def must_be_there(settings: Settings) -> None:
    """Raise NotPossibleYet where no installation lies in the data directory. A server's database lies elsewhere."""
    from agent.data_directory import DataDirectory

    if settings.database_url is None:
        DataDirectory(settings.data).found()


def begun(config: Path, data: Path | None, *, level: int, **overrides: Any) -> Installation:
    """Load the settings, configure the log at `level`, and open the installation without its model, or begin it."""
    from agent import logs
    from agent.core import opened

    settings = settings_for(config, data, begins=True, **overrides)
    logs.configure(settings.log_format, level)
    return opened(settings)
