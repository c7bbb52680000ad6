"""Which settings are secret, and a settings file without their values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel, SecretStr

from agent.config.secrets import REFERENCE
from agent.config.settings import Settings
from connectors.registry import CONNECTORS

PLACEHOLDER = "change-me-change-me"
"""What stands in a secret's place; `rolecall check` asks for another."""

_LINE = r"^(?P<name>[ \t#]*(?:[\w.\"'-]+\.)?[\"']?(?:{names})[\"']?[ \t]*=[ \t]*)(?P<value>.*)$"


def secret_values(settings: Settings) -> frozenset[str]:
    """Return every value that is never shown."""
    return frozenset(value for value in _values(settings) if value and PLACEHOLDER not in value)


def secret_names() -> frozenset[str]:
    """Return the names, without their tables, of all settings that are never shown."""
    ours = {name for section in _sections(Settings) for name, field in section.model_fields.items() if _hides(field)}
    theirs = {each.name for kind in CONNECTORS.values() for each in fields(kind.settings) if not each.repr}
    return frozenset(ours | theirs)


def without_secrets(text: str, values: Collection[str]) -> str | None:
    """Return a settings file's text with a placeholder for every secret, also in comments; None where one is left.

    `values` are those in use. References to a source of secrets stay: they hold none.
    """
    line = re.compile(_LINE.format(names="|".join(sorted(secret_names()))), re.MULTILINE)

    def hidden(found: re.Match[str]) -> str:
        value = found["value"].strip()
        if value.startswith((f'"{REFERENCE}', f"'{REFERENCE}")):
            return found[0]
        return found["name"] + (f'["{PLACEHOLDER}"]' if value.startswith("[") else f'"{PLACEHOLDER}"')

    bare = line.sub(hidden, text)
    for value in sorted(values, key=len, reverse=True):
        bare = bare.replace(value, PLACEHOLDER)
    return None if _unsure(line, text) or any(value in bare for value in values) else bare


def _unsure(line: re.Pattern[str], text: str) -> bool:
    """Return whether a secret's value goes on in the next line, where a list or a long text may."""
    values = [found["value"].strip() for found in line.finditer(text)]
    return any(value.startswith(('"""', "'''")) or (value.startswith("[") and "]" not in value) for value in values)


def _values(held: object) -> Iterator[str]:
    """Yield what fields hide, wherever they are in a tree of settings."""
    if isinstance(held, SecretStr):
        yield held.get_secret_value()
    elif isinstance(held, BaseModel):
        for name in type(held).model_fields:
            yield from _values(getattr(held, name))
    elif isinstance(held, Mapping):
        for each in held.values():
            yield from _values(each)
    elif is_dataclass(held) and not isinstance(held, type):
        for field in fields(held):
            value = getattr(held, field.name)
            yield from _values(value) if field.repr else _texts(value)


def _texts(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, tuple | list | frozenset) else (value,):
        if each is not None:
            yield str(each.get_secret_value() if isinstance(each, SecretStr) else each)


def _sections(section: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield section
    for field in section.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _sections(field.annotation)


def _hides(field: Any) -> bool:
    return not field.repr or "SecretStr" in str(field.annotation)
