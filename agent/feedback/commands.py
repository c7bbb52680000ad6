"""The reply commands: `/role NAME`, `/role NAME, NAME` and `/role ok`, on a line of their own in a staff reply."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.domain import RoleCatalogue

_COMMAND = re.compile(r"^[ \t]*/role[ \t]+(?P<what>[^\r\n]{1,200}?)[ \t.!]*$", re.IGNORECASE | re.MULTILINE)
_ORIGINAL = re.compile(r"^-{2,}[ \t]*Original Message[ \t]*-{2,}", re.IGNORECASE | re.MULTILINE)
_AGREEMENT = "ok"


@dataclass(frozen=True, slots=True)
class Confirm:
    """`/role ok`: what we said is right."""


@dataclass(frozen=True, slots=True)
class Correct:
    """`/role NAME`: these roles are right, by their official names."""

    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """`/role NAME` with a name that no role has; `close` are the nearest ones that exist."""

    name: str
    close: tuple[str, ...]


Command = Confirm | Correct | NotUnderstood


def parse(text: str, roles: RoleCatalogue) -> Command | None:
    """Return the last command in the text, or None.

    Quoted lines (`> ...`) and what mail programs put below `-----Original Message-----` are somebody else's words.
    """
    found = _COMMAND.findall(_ORIGINAL.split(text, maxsplit=1)[0])
    if not found:
        return None
    what: str = found[-1].strip()
    if what.casefold() == _AGREEMENT:
        return Confirm()
    named: list[str] = []
    for name in (part.strip(" `*\"'“”.") for part in what.split(",")):
        role = roles.lookup(name)
        if role is None:
            return NotUnderstood(name, roles.near(name))
        if role.name not in named:
            named.append(role.name)
    return Correct(tuple(named))
