"""A tree of settings before validation, each with its source."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.config.in_words import MISSING, KeyPath, in_words, keys_at
from agent.config.secrets import REFERENCE, Found, referred
from agent.config.secrets.source import PREFIX
from agent.config.toml_file import TomlFile
from agent.errors import Fault


class SettingTree:
    """Nested tables; later values override earlier ones. Callers may change `values`.

    `faults` collects what is wrong before validation, so that all faults can be reported together.
    """

    def __init__(self, file: TomlFile | None = None) -> None:
        self.values: dict[str, Any] = {}
        self.faults: list[Fault] = []
        self._origin: dict[KeyPath, str] = {}
        self._file = file
        if file is not None:
            self._add_table(file.document, str(file.path), ())

    def _add_table(self, table: Mapping[str, Any], source: str, at: tuple[str, ...]) -> None:
        for key, value in table.items():
            if isinstance(value, dict) and value:
                self._add_table(value, source, (*at, key))
            else:
                self.put((*at, key), {} if value == {} else value, source)

    def add_names(self, values: Mapping[str, Found]) -> None:
        """Add values by the names of environment variables; other names are ignored."""
        for key, found in values.items():
            if key.startswith(PREFIX):
                path = key.removeprefix(PREFIX).lower().split("__")
                if path[0] == "connectors" and len(path) > 1:
                    path[1] = path[1].replace("_", "-")
                if path[0] == "triage" and len(path) > 2 and path[-2] in ("only", "shadow", "queues"):
                    path[-1] = path[-1].replace("_", "-")  # queues by connector
                self.put(path, from_text(found.value), found.origin)

    def put(self, path: Sequence[str], value: Any, source: str) -> None:
        """Set one value. Adds a fault where a table is needed and a single value is there."""
        table = self.values
        for depth, key in enumerate(path[:-1], 1):
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                name = ".".join(path[:depth])
                self.faults.append(Fault(source, "is a single value elsewhere, here it has parts", setting=name))
                return
        self._origin[tuple(path)] = source
        table[path[-1]] = value

    def resolve(self, found: Mapping[str, Found]) -> None:
        """Replace references by their secrets. Adds a fault for every missing one."""
        self.values = self._resolved(self.values, (), found)

    def _resolved(self, value: Any, path: KeyPath, found: Mapping[str, Found]) -> Any:
        if isinstance(value, dict):
            return {key: self._resolved(item, (*path, key), found) for key, item in value.items()}
        if isinstance(value, list):
            return [self._resolved(item, (*path, index), found) for index, item in enumerate(value)]
        if not isinstance(value, str) or not value.startswith(REFERENCE):
            return value
        secret = value.removeprefix(REFERENCE).strip()
        if secret not in found:
            self.faults.append(self.fault(path, f"no source has the secret {secret}"))
            return value
        self._origin[path] = found[secret].origin
        return found[secret].value

    def fault(self, at: KeyPath, message: str) -> Fault:
        """Return a fault of a setting, with the source of its value and, where that is the file, its line."""
        source, name = self._origin_of(at), ".".join(map(str, at))
        if self._file is not None and source == str(self._file.path):
            return self._file.fault(at, message, name)
        return Fault(source, message, setting=name)

    def _origin_of(self, at: KeyPath) -> str:
        """Return the source of a setting, or of the list or table around it."""
        for end in range(len(at), 0, -1):
            if source := self._origin.get(at[:end]):
                return source
        inside = (source for known, source in self._origin.items() if known[: len(at)] == at)
        return next(inside, str(self._file.path) if self._file is not None else "settings")

    def _elsewhere(self) -> str:
        """Return where a `.env` lies that was not read, since somebody has started in another directory."""
        above = self._file.path.resolve().parents[:2] if self._file is not None else ()
        there = next((folder for folder in above if folder != Path.cwd() and (folder / ".env").is_file()), None)
        return f"; there is one in {there}: start there" if there else ""

    def faults_of(
        self, error: ValidationError, model: type[Any], at: KeyPath = (), *, asked: bool = True
    ) -> Iterator[Fault]:
        """Yield the faults of a table. With `asked` False the sources were not read, and nothing counts as missing."""
        for problem in error.errors(include_url=False, include_context=False):
            path, words = (*at, *problem["loc"]), in_words(problem, keys_at(model, problem["loc"][:-1]))
            if isinstance(problem["input"], str | list) and referred([problem["input"]]):
                continue  # what was validated is the reference itself: that its secret is missing is told by the tree
            if problem["type"] == MISSING and isinstance(path[-1], str):
                if not asked:
                    continue
                words += f": write it in the settings file, or set {variable(path)}"
                words += f", also in .env of the directory that you start in{self._elsewhere()}"
            yield self.fault(path, words)


def variable(path: KeyPath) -> str:
    """Return the name of the environment variable for the setting at this path."""
    return PREFIX + "__".join(str(part).upper().replace("-", "_") for part in path)


def from_text(value: str) -> Any:
    """Return the list in a text such as `["a", "b"]`; return any other text unchanged."""
    if not value.startswith("["):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
