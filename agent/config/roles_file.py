"""Read the roles from `config/roles.toml` and report every fault at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agent.config.toml_file import TomlFile, entries, read, unknown_keys
from agent.domain import Role, RoleCatalogue, fold
from agent.errors import ConfigurationError, Fault
from agent.text.own_words import spelling

TABLE = "role"
ALWAYS_RESERVED = frozenset({"ok"})
"""Words that no role could ever have: they mean something else after `/role`."""
RESERVED = ALWAYS_RESERVED | {"none", "undo", "why", "summary"}
"""With those that roles of earlier releases may have: there they keep their meaning after `/role`."""
SEPARATORS = ",\n\r\t"
"""Never part of a name: staff may answer with a list of roles."""


Groups = Annotated[list[str], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)]
"""One group, or several: the first is the one that Rolecall assigns."""


class RolesError(ConfigurationError):
    """The roles file cannot be used."""


class RoleEntry(BaseModel):
    """The keys of `[[role]]`, as the file spells them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    description: str = ""
    aliases: list[str] = []
    groups: dict[str, Groups] = {}
    owner: str | None = None
    active_from: date | None = Field(default=None, alias="from")
    active_until: date | None = Field(default=None, alias="until")


def load_roles(path: Path) -> RoleCatalogue:
    """Read and check a roles file. Raises RolesError with all faults, each with its line."""
    file = read(path, RolesError, "setting roles")
    faults = unknown_keys(file, (TABLE,))
    good, bad = entries(file, TABLE, RoleEntry)
    faults += bad
    faults += _faults_across(file, good)
    for index, entry in good:
        problems = _problems(entry)
        faults += [file.fault((TABLE, index, key), f"role {entry.name!r}: {problem}") for key, problem in problems]
    if not file.document.get(TABLE):
        faults.append(file.fault((TABLE,), "names no role: add a [[role]] with at least a name"))
    if faults:
        raise RolesError(faults)
    return RoleCatalogue([_role(entry) for _, entry in good])


def reserved_words(path: Path) -> list[Fault]:
    """Return a fault for each name or alias in a readable roles file that means something else after `/role`."""
    file = read(path, RolesError, "setting roles")
    good, _ = entries(file, TABLE, RoleEntry)
    return [
        file.fault((TABLE, index, key), f"role {entry.name!r}: {_taken(word)}")
        for index, entry in good
        for key, words in (("name", [entry.name]), ("aliases", entry.aliases))
        for word in words
        if fold(word) in RESERVED
    ]


def _taken(word: str) -> str:
    return f"{word!r} already means something else after /role"


def _problems(entry: RoleEntry) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong) for faults within one role."""
    for key, words in (("name", [entry.name]), ("aliases", entry.aliases)):
        for word in words:
            if not spelling(word):
                yield key, "a name holds at least one letter"
            elif fold(word) in ALWAYS_RESERVED:
                yield key, _taken(word)
            elif any(mark in word for mark in SEPARATORS):
                yield key, f"{word!r} holds a comma, tab or line break"
    for source, groups in entry.groups.items():
        if not groups or not all(fold(group) for group in groups):
            yield "groups", f"{source} needs at least one group, and none without a letter"
    if entry.active_from and entry.active_until and entry.active_until < entry.active_from:
        yield "until", f"until ({entry.active_until}) is before from ({entry.active_from})"


def _faults_across(file: TomlFile, good: Sequence[tuple[int, RoleEntry]]) -> Iterator[Fault]:
    """Yield a fault for each word or group that two roles share."""
    words: dict[str, tuple[int, str]] = {}
    groups: dict[tuple[str, str], str] = {}
    for index, entry in good:
        for key, word in (("name", entry.name), *(("aliases", alias) for alias in entry.aliases)):
            owner, name = words.setdefault(spelling(word), (index, entry.name))
            if owner != index:
                yield file.fault((TABLE, index, key), f"role {entry.name!r}: {word!r} already leads to role {name!r}")
        for source, group in ((source, group) for source, several in entry.groups.items() for group in several):
            claimed = groups.setdefault((source, spelling(group)), entry.name)
            if claimed != entry.name:
                message = f"role {entry.name!r}: group {group!r} of {source} already belongs to role {claimed!r}"
                yield file.fault((TABLE, index, "groups"), message)


def _role(entry: RoleEntry) -> Role:
    return Role(
        name=" ".join(entry.name.split()),
        description=entry.description,
        aliases=tuple(entry.aliases),
        groups={source: tuple(groups) for source, groups in entry.groups.items()},
        owner=entry.owner,
        active_from=entry.active_from,
        active_until=entry.active_until,
    )
