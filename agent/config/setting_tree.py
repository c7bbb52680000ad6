"""A tree of settings that are not validated yet, each with the source that it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agent.config.secrets import REFERENCE, Found
from agent.config.secrets.source import PREFIX
from agent.errors import Fault, SettingsError


class SettingTree:
    """Nested tables; what is added later overrides what is there. `values` is free to be changed by its reader."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._origin: dict[str, str] = {}

    def add_table(self, table: Mapping[str, Any], source: str, at: tuple[str, ...] = ()) -> None:
        """Add what a TOML file holds."""
        for key, value in table.items():
            if isinstance(value, dict):
                self.add_table(value, source, (*at, key))
            else:
                self.put((*at, key), value, source)

    def add_names(self, values: Mapping[str, Found]) -> None:
        """Add values by the names of environment variables; names that are no settings are passed over."""
        for key, found in values.items():
            if key.startswith(PREFIX):
                path = key.removeprefix(PREFIX).lower().split("__")
                if path[0] == "connectors" and len(path) > 1:
                    path[1] = path[1].replace("_", "-")
                self.put(path, from_text(found.value), found.origin)

    def put(self, path: Sequence[str], value: Any, source: str) -> None:
        """Set one value. Raises SettingsError where another source has a single value in place of a table."""
        self._origin[".".join(path)] = source
        table = self.values
        for key in path[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                raise SettingsError([Fault(key, source, "is a single value elsewhere, here it has parts")])
        table[path[-1]] = value

    def resolve(self, found: Mapping[str, Found]) -> None:
        """Put secrets in the place of references to them. Raises SettingsError naming every one that is missing."""
        faults: list[Fault] = []
        self.values = self._resolved(self.values, (), found, faults)
        if faults:
            raise SettingsError(faults)

    def _resolved(self, value: Any, path: tuple[str, ...], found: Mapping[str, Found], faults: list[Fault]) -> Any:
        if isinstance(value, dict):
            return {key: self._resolved(item, (*path, key), found, faults) for key, item in value.items()}
        if isinstance(value, list):
            return [self._resolved(item, path, found, faults) for item in value]
        if not isinstance(value, str) or not value.startswith(REFERENCE):
            return value
        secret = value.removeprefix(REFERENCE).strip()
        name = ".".join(path)
        if secret not in found:
            faults.append(Fault(name, self.origin_of(name), f"no source has the secret {secret}"))
            return value
        self._origin[name] = found[secret].origin
        return found[secret].value

    def origin_of(self, name: str) -> str:
        """Return the source of the setting, of the list that holds it or of the table that lacks it."""
        parts = name.split(".")
        for end in range(len(parts), 0, -1):
            if source := self._origin.get(".".join(parts[:end])):
                return source
        inside = (source for known, source in self._origin.items() if known.startswith(name + "."))
        return next(inside, "not set")


def from_text(value: str) -> Any:
    """Return the list that a text such as `["a", "b"]` stands for, any other text as it is."""
    if not value.startswith("["):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
