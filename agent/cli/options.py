"""Options that many commands share, and the settings and parts loaded from them."""

from __future__ import annotations

import logging
from collections.abc import Callable
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

CONFIG = Path("config/agent.toml")


def settings_for(config: Path, data: Path | None, secrets: Secrets | None = None, **overrides: Any) -> Settings:
    """Load the settings, overridden by the command line (`__` in a name stands for a dot)."""
    from agent.config import loading as configuration
    from agent.errors import BadInput

    if data is not None and not (above := data.absolute().parent).is_dir():
        raise BadInput(f"--data {data}: there is no folder {above}: is the name right, and its disk there?")
    given = {name.replace("__", "."): value for name, value in overrides.items() if value is not None}
    return configuration.load(config, overrides=given | ({"data": str(data)} if data else {}), secrets=secrets)


def reload_for(config: Path, data: Path | None, **overrides: Any) -> Callable[[], Settings]:
    """Return a function that reloads the same settings, keeping its sources of secrets open."""
    from agent.config.secrets import Secrets

    return partial(settings_for, config, data, secrets=Secrets(), **overrides)


def parts_for(config: Path, data: Path | None, *, level: int = logging.WARNING, **overrides: Any) -> Parts:
    """Load the settings, configure the log at `level`, and assemble the parts that answer tickets."""
    from agent.core import loaded

    return loaded(installation_for(config, data, level=level, **overrides))


def installation_for(config: Path, data: Path | None, *, level: int, **overrides: Any) -> Installation:
    """Load the settings, configure the log at `level`, and open the installation without its model."""
    from agent import logs
    from agent.core import opened

    settings = settings_for(config, data, **overrides)
    logs.configure(settings.log_format, level)
    return opened(settings)
