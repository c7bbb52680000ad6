"""What all tables of the settings file have in common."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Section(BaseModel):
    """One table of the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


_VARIABLE = re.compile(r"^\$\{?\w|^%\w+%")


def _placed(path: Path) -> Path:
    """Return a path with ~ as the home directory. Raises ValueError for a variable, which only a shell replaces."""
    if _VARIABLE.match(str(path)):
        raise ValueError("begins with a variable, which only a shell replaces: write the whole path")
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("begins with ~, and there is no home directory: write the whole path") from None


Place = Annotated[Path, AfterValidator(_placed)]
"""Where something lies. A folder called ~ or $HOME is nobody's wish."""


def bare_host(value: str) -> str:
    """Return an address to listen on. Raises ValueError for one with a scheme, a path or a port."""
    if not value or " " in value or "/" in value or value.count(":") == 1:
        raise ValueError('has to be an address of this machine alone, such as "0.0.0.0": the port is server.port')
    return value
