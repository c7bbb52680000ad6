"""Read the roles of a cell: one name or alias, a list, or several names with signs between them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.domain import RoleCatalogue
from agent.tabular.row import Cell

_LESS_CLEAR = re.compile(r"[,|\n]")
"""Signs that may be part of a name: they divide only what is no role as a whole."""

_PATH = re.compile(r"::|\s*[>»\\]\s*")
_CODE = re.compile(r"^\W{0,3}\d[\d.]{0,8}\s*[-–:.)_]\s*")
"""What some systems put before a name: the groups above it ("IT::Network", "IT > Network"), and a code ("01 - IT")."""


class UnknownRole(ValueError):
    """A cell names what is no role; `name` is what it says, `near` the roles that may have been meant."""

    def __init__(self, name: str, roles: RoleCatalogue) -> None:
        super().__init__(f"no role {name!r}")
        self.name = name
        self.near = roles.near(name)


@dataclass(frozen=True, slots=True)
class Named:
    """The roles that a cell names, each once, and the labels beside them that are none."""

    roles: tuple[str, ...]
    others: tuple[str, ...] = ()


def named_roles(cell: Cell, roles: RoleCatalogue) -> Named:
    """Return what a cell names. Raises UnknownRole, or ValueError where nothing is named.

    Lists of labels name more than roles: beside a role, another label says nothing, unless it looks like a role that is
    misspelt. Without that one the ticket would teach half of what people said.
    """
    names = tuple(dict.fromkeys(_without_place(name.strip(), roles) for name in _names(cell, roles)))
    known = {name: role.name for name in names if (role := roles.lookup(name)) is not None}
    unknown = [name for name in names if name not in known]
    if wrong := next((name for name in unknown if not known or roles.near(name)), None):
        raise UnknownRole(wrong, roles)
    if not known:
        raise ValueError("no role")
    return Named(tuple(dict.fromkeys(known.values())), tuple(unknown))


def _without_place(name: str, roles: RoleCatalogue) -> str:
    """Return the name without what stands before it, where that makes it a role's."""
    last = _PATH.split(name)[-1].strip()
    tried = (name, last, _CODE.sub("", name), _CODE.sub("", last))
    return next((each for each in tried if roles.lookup(each) is not None), name)


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
        known = [part for part in parts if roles.lookup(_without_place(part, roles)) is not None]
        yield from parts if known or len(parts) < 2 else [cell.strip()]


def _listed(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []
