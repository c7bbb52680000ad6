"""Read the roles of a cell: one name or alias, a list, or several names with signs between them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from agent.domain import RoleCatalogue
from agent.tabular.row import Cell

_LESS_CLEAR = re.compile(r"[,|\n]")
"""Signs that may be part of a name: they divide only what is no role as a whole."""


class UnknownRole(ValueError):
    """A cell names what is no role; `name` is what it says."""

    def __init__(self, name: str, roles: RoleCatalogue) -> None:
        near = roles.near(name)
        super().__init__(f"no role {name!r}" + (f"; did you mean {' or '.join(near)}?" if near else ""))
        self.name = name


def named_roles(cell: Cell, roles: RoleCatalogue) -> tuple[str, ...]:
    """Return the roles that a cell names, each once. Raises UnknownRole, or ValueError where none is named."""
    found = []
    for name in _names(cell, roles):
        role = roles.lookup(name)
        if role is None:
            raise UnknownRole(name, roles)
        found.append(role.name)
    if not found:
        raise ValueError("no role")
    return tuple(dict.fromkeys(found))


def _names(cell: Cell, roles: RoleCatalogue) -> Iterator[str]:
    if not isinstance(cell, str):
        for item in cell:
            yield from _names(item, roles)
    elif roles.lookup(cell) is not None:
        yield cell
    elif cell.lstrip().startswith("[") and (listed := _listed(cell)):
        yield from listed
    elif ";" in cell:
        for part in cell.split(";"):
            yield from _names(part, roles)
    else:
        parts = [part.strip() for part in _LESS_CLEAR.split(cell) if part.strip()]
        known = [part for part in parts if roles.lookup(part) is not None]
        yield from parts if known or len(parts) < 2 else [cell.strip()]


def _listed(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []
