"""The reply commands: `/role NAME`, `/role NAME, NAME`, `/role ok`, as people type them, in their own words alone.

`/role` counts as the first thing on a line. After it the longest role or alias that matches counts, and more behind
commas as far as these are roles, too; what else follows is ignored. `role NAME` without slash and colon counts where
the line holds nothing else. Where somebody seems to want a command that does not count, the answer says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.domain import RoleCatalogue, fold
from agent.text.own_words import Origin, lines
from agent.text.plain import plain_text

AGREEMENT = "ok"
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Confirm:
    """`/role ok`: the suggested roles are right."""


@dataclass(frozen=True, slots=True)
class Correct:
    """`/role NAME`: these roles are right, by their official names."""

    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """`/role NAME` with a name that no role has; `close` are the nearest ones that exist."""

    name: str
    close: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Misplaced:
    """`/role` in the middle of a line or of a sentence: not carried out; the answer says where it belongs."""


@dataclass(frozen=True, slots=True)
class Contradictory:
    """Two different commands in one reply: neither is carried out; the answer asks which one is meant."""


Command = Confirm | Correct | NotUnderstood | Misplaced | Contradictory

_MARKUP = r"[\s*_~`#+•-]*(?:\d{1,2}[.)]\s+)?[*_~`]*"
"""What may stand before a command: list marks, headings, emphasis, code spans."""

_COMMAND = re.compile(rf"^{_MARKUP}[/\uff0f]role(?![^\W_])[*_~`]*[ \t]*[:\uff1a]?(?P<what>.*)$", re.I)
_BARE = re.compile(r"^role[ \t]+(?P<what>[^:]+)$", re.I)
_ANYWHERE = re.compile(r"(?<![\w/.\uff0f])[/\uff0f]role(?!\w)", re.I)
_GREETING = re.compile(
    r"^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|moin|servus|liebe[rs]?|guten (?:tag|morgen|abend)|"
    r"bonjour|salut|hola|buenos días|ciao|hoi)\b(?:\W+\w+){0,3}\W*$",
    re.I,
)
_EDGES = " \t`*_~\"'“”„«»()[]<>.!?;:"
_COMMAS = (",", "，", "、")


def parse(text: str, roles: RoleCatalogue) -> Command | None:
    """Return the command in a reply, or None where there is none. Repeating a command is no contradiction."""
    own = [line.text if line.origin is Origin.OWN else "" for line in lines(plain_text(text))]
    given = list(_given(own, roles))
    obeyed = [command for command in given if not isinstance(command, Misplaced)]
    if len(set(obeyed)) > 1:
        return Contradictory()
    return obeyed[0] if obeyed else next(iter(given), None)


def _given(own: Sequence[str], roles: RoleCatalogue) -> Iterator[Command]:
    """Yield the command of each line. Lines that are not the author's own are empty in `own`."""
    for index, line in enumerate(own):
        if found := _COMMAND.match(line):
            before, after = own[index - 1] if index else "", own[index + 1] if index + 1 < len(own) else ""
            yield Misplaced() if _within_sentence(before, after) else _meant(found["what"], roles)
        elif (bare := _BARE.match(line.strip(_EDGES))) and (exact := _exactly(bare["what"].strip(_EDGES), roles)):
            yield exact
        elif _ANYWHERE.search(line):
            yield Misplaced()


def _within_sentence(before: str, after: str) -> bool:
    """Return whether a line that begins with a command is the middle of a wrapped sentence."""
    above = before.rstrip()
    if not above or not above[-1].isalpha() or _COMMAND.match(before) or _GREETING.match(above.strip()):
        return False
    return after.lstrip()[:1].islower()


def _meant(what: str, roles: RoleCatalogue) -> Command:
    """Return what the words behind `/role` mean."""
    named: list[str] = []
    rest = what.lstrip(_EDGES)
    while found := _longest(rest, roles):
        name, rest = found
        if name not in named:
            named.append(name)
        rest = rest.lstrip(_EDGES)
        if not rest.startswith(_COMMAS):
            break
        rest = rest[1:].lstrip(_EDGES)
    if named:
        return Correct(tuple(named))
    name = re.split(f"[{''.join(_COMMAS)}]", what)[0].strip(_EDGES)[:LONGEST_NAME]
    if re.match(rf"{AGREEMENT}(?!\w)", name, re.IGNORECASE):
        return Confirm()
    return NotUnderstood(name, roles.near(name) or roles.near(name.partition(" ")[0]))


def _longest(text: str, roles: RoleCatalogue) -> tuple[str, str] | None:
    """Return the role whose name or alias is the longest beginning of the text, and what follows it."""
    beginning = text[:LONGEST_NAME]
    for end in range(len(beginning), 0, -1):
        at_edge = end == len(text) or not (text[end].isalnum() or text[end] == "_")
        if at_edge and (role := roles.lookup(beginning[:end])):
            return role.name, text[end:]
    return None


def _exactly(what: str, roles: RoleCatalogue) -> Command | None:
    if role := roles.lookup(what):
        return Correct((role.name,))
    return Confirm() if fold(what) == AGREEMENT else None
