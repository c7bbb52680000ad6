"""Change one role in a roles file: its comments, its order and the form of everything else stay as they are."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomlkit
from tomlkit.items import AoT, Array

from agent.domain import Role, fold
from agent.errors import BadInput

BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Words:
    """What a person says of a role: `groups` by helpdesk."""

    name: str
    description: str
    aliases: Sequence[str]
    owner: str
    groups: Mapping[str, Sequence[str]]


def words_of(role: Role) -> Words:
    """Return what the file says of a role now."""
    return Words(role.name, role.description, role.aliases, role.owner or "", role.groups)


def renamed(words: Words, former: str) -> Words:
    """Return the words with a role's former name among the aliases: what was said of it goes on counting."""
    others = [alias for alias in dict.fromkeys(words.aliases) if fold(alias) != fold(words.name)]
    if fold(former) != fold(words.name) and fold(former) not in map(fold, others):
        others.append(former)
    return Words(words.name, words.description, others, words.owner, words.groups)


def with_role(content: bytes, role: Role, words: Words) -> bytes:
    """Return the file with other words for a role. Raises BadInput where the file does not have the role."""
    text = content.decode("utf-8")
    begin = BOM * text.startswith(BOM)
    document = tomlkit.parse(text.removeprefix(BOM))
    _say(_table(document, role), words_of(role), words)
    made = tomlkit.dumps(document)
    if text.count("\r\n") == text.count("\n"):
        made = made.replace("\r\n", "\n").replace("\n", "\r\n")
    if _plain(made) != _expected(text.removeprefix(BOM), role, words):
        raise BadInput("the file is of a form in which that cannot be changed here: change it by hand")
    return (begin + made).encode("utf-8")


def _table(document: tomlkit.TOMLDocument, role: Role) -> Any:
    tables = document.get("role")
    found = [one for one in tables if fold(str(one["name"])) == fold(role.name)] if isinstance(tables, AoT) else []
    if len(found) != 1:
        raise BadInput(f"the file has no role {role.name}, or writes roles in another form: change it by hand")
    return found[0]


def _say(table: Any, before: Words, words: Words) -> None:
    """Change what is to be changed, and nothing else."""
    if words.name != before.name:
        table["name"] = words.name
    for key in ("description", "owner"):
        if getattr(words, key) != getattr(before, key):
            _put(table, key, getattr(words, key))
    if list(words.aliases) != list(before.aliases):
        _put(table, "aliases", list(words.aliases))
    if _listed(words.groups) != _listed(before.groups):
        groups = table.get("groups")
        if groups is None:
            groups = table["groups"] = tomlkit.inline_table()
        for source in {*words.groups, *before.groups}:
            wanted = list(words.groups.get(source, ()))
            if wanted != list(before.groups.get(source, ())):
                _put(groups, source, wanted[0] if len(wanted) == 1 else wanted)
        if not groups:
            table.remove("groups")


def _put(table: Any, key: str, value: Any) -> None:
    """Set a value, remove it where it is empty, and change an array in its place: its comments stay."""
    there = table.get(key)
    if isinstance(there, Array) and isinstance(value, list) and value:
        for word in [word for word in there if word not in value]:
            there.remove(word)
        for word in [word for word in value if word not in there]:
            there.append(word)
        if list(there) == value:
            return
    if value:
        table[key] = value
    elif key in table:
        table.remove(key)


def _listed(groups: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {source: list(names) for source, names in groups.items() if names}


def _plain(text: str) -> Any:
    """Return what a file says, each role's groups as lists."""
    document = tomllib.loads(text)
    for one in document["role"]:
        groups = {
            source: [names] if isinstance(names, str) else names for source, names in one.get("groups", {}).items()
        }
        one["groups"] = groups
    return document


def _expected(text: str, role: Role, words: Words) -> Any:
    """Return what the file has to say once the role has other words, and nothing but that."""
    document = _plain(text)
    (one,) = [one for one in document["role"] if fold(one["name"]) == fold(role.name)]
    said = {"name": words.name, "description": words.description, "aliases": list(words.aliases), "owner": words.owner}
    for key, value in said.items():
        before = getattr(words_of(role), key)
        if list(value) != list(before):
            one.pop(key, None)
            one |= {key: value} if value else {}
    one["groups"] = _listed(words.groups) if _listed(words.groups) != _listed(role.groups) else one["groups"]
    return document
