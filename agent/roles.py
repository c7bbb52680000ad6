"""The roles that tickets go to, as `config/roles.toml` names them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from heuristics.toml_file import Fault, FaultyFile, TomlFile, entries, read, unknown_keys

TABLE = "role"
RESERVED = frozenset({"ok"})
"""Words that mean something else after `/role`."""
SEPARATORS = ",\n\r\t"
"""Never part of a name: staff may answer with a list of roles."""


class RolesError(FaultyFile):
    """The roles file cannot be used; `faults` holds everything that is wrong with it."""


@dataclass(frozen=True, slots=True)
class Role:
    """A support role. `groups` maps a connector's source to that system's own name for the role (queue, team)."""

    name: str
    description: str = ""
    aliases: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    owner: str | None = None
    active_from: date | None = None
    active_until: date | None = None

    def active(self, on: date) -> bool:
        """Say whether tickets may go to this role on this day; both dates are inclusive."""
        return (self.active_from is None or self.active_from <= on) and (
            self.active_until is None or on <= self.active_until
        )


class RoleCatalogue:
    """All roles, found by name, by alias, and by a ticketing system's group. Immutable."""

    def __init__(self, roles: Sequence[Role]) -> None:
        self.roles = tuple(roles)
        self.names = tuple(role.name for role in self.roles)
        self._by_word = {fold(word): role for role in self.roles for word in (*role.aliases, role.name)}
        self._by_group = {(source, fold(group)): role for role in self.roles for source, group in role.groups.items()}

    def lookup(self, word: str) -> Role | None:
        """Return the role with this name or alias, whatever its case and spacing; None where there is none."""
        return self._by_word.get(fold(word))

    def successors(self, names: Iterable[str]) -> dict[str, str | None]:
        """Return what became of role names that are no more: the role that keeps the name as an alias, or None."""
        gone = {name for name in names if name not in self.names}
        found = {name: self.lookup(name) for name in gone}
        return {name: role.name if role else None for name, role in found.items()}

    def near(self, word: str, limit: int = 3) -> tuple[str, ...]:
        """Return the names of roles that may have been meant by an unknown word, closest first."""
        close = difflib.get_close_matches(fold(word), self._by_word, n=2 * limit, cutoff=0.6)
        return tuple(dict.fromkeys(self._by_word[found].name for found in close))[:limit]

    def of_group(self, source: str, group: str | None) -> Role | None:
        """Return the role behind a ticketing system's group; None for a group that no role claims."""
        return None if group is None else self._by_group.get((source, fold(group)))

    def active(self, on: date) -> tuple[Role, ...]:
        """Return the roles that tickets may go to on this day, in the file's order."""
        return tuple(role for role in self.roles if role.active(on))


class RoleEntry(BaseModel):
    """The keys of `[[role]]`, as the file spells them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    description: str = ""
    aliases: list[str] = []
    groups: dict[str, str] = {}
    owner: str | None = None
    active_from: date | None = Field(default=None, alias="from")
    active_until: date | None = Field(default=None, alias="until")


def load_roles(path: Path) -> RoleCatalogue:
    """Read and check a roles file. Raises RolesError with all faults, each with its line."""
    file = read(path, RolesError)
    faults = unknown_keys(file, (TABLE,))
    good, bad = entries(file, TABLE, RoleEntry)
    faults += bad
    faults += _faults_across(file, good)
    for index, entry in good:
        problems = _problems(entry)
        faults += [file.fault(TABLE, index, key, f"role {entry.name!r}: {problem}") for key, problem in problems]
    if not file.document.get(TABLE):
        faults.append(Fault(path, 1, "names no role: add a [[role]] with at least a name"))
    if faults:
        raise RolesError(faults)
    return RoleCatalogue([_role(entry) for _, entry in good])


def fold(word: str) -> str:
    """Return the form in which names, aliases and groups are compared: no case, single spaces."""
    return " ".join(word.casefold().split())


def _problems(entry: RoleEntry) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong) for what one role alone can tell."""
    for key, words in (("name", [entry.name]), ("aliases", entry.aliases)):
        for word in words:
            if not fold(word):
                yield key, "a name holds at least one letter"
            elif fold(word) in RESERVED:
                yield key, f"{word!r} already means something else after /role"
            elif any(mark in word for mark in SEPARATORS):
                yield key, f"{word!r} holds a comma, tab or line break"
    if entry.active_from and entry.active_until and entry.active_until < entry.active_from:
        yield "until", f"until ({entry.active_until}) is before from ({entry.active_from})"


def _faults_across(file: TomlFile, good: Sequence[tuple[int, RoleEntry]]) -> Iterator[Fault]:
    """Yield a fault for each word or group that would lead to two roles."""
    words: dict[str, tuple[int, str]] = {}
    groups: dict[tuple[str, str], str] = {}
    for index, entry in good:
        for key, word in (("name", entry.name), *(("aliases", alias) for alias in entry.aliases)):
            owner, name = words.setdefault(fold(word), (index, entry.name))
            if owner != index:
                yield file.fault(TABLE, index, key, f"role {entry.name!r}: {word!r} already leads to role {name!r}")
        for source, group in entry.groups.items():
            claimed = groups.setdefault((source, fold(group)), entry.name)
            if claimed != entry.name:
                message = f"role {entry.name!r}: group {group!r} of {source} already belongs to role {claimed!r}"
                yield file.fault(TABLE, index, "groups", message)


def _role(entry: RoleEntry) -> Role:
    return Role(
        name=" ".join(entry.name.split()),
        description=entry.description,
        aliases=tuple(entry.aliases),
        groups=entry.groups,
        owner=entry.owner,
        active_from=entry.active_from,
        active_until=entry.active_until,
    )
