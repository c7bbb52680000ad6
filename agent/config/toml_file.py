"""Read an operator's TOML file and report everything that is wrong with it at once, each fault with its line.

Whoever validates a part of the document without knowing files, as connectors do, names faults by the path of their key:
`TomlFile.fault` adds file and line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agent.config.in_words import MISSING, UNKNOWN, in_words, keys_at, unknown
from agent.config.toml_lines import KeyPath, find_lines
from agent.errors import ConfigurationError, Fault

PLACE_IN_MESSAGE = re.compile(r" \(at line (\d+), column \d+\)$")

Entry = TypeVar("Entry", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A parsed document that knows the line of everything in it."""

    path: Path
    document: Mapping[str, Any] = field(repr=False)
    lines: Mapping[KeyPath, int] = field(repr=False)

    def line(self, at: KeyPath) -> int:
        """Return the line of what stands at this path, of what should hold it where it is absent, or 1."""
        return next((self.lines[at[:end]] for end in range(len(at), 0, -1) if at[:end] in self.lines), 1)

    def fault(self, at: KeyPath, message: str, setting: str = "") -> Fault:
        """Return a fault at this path."""
        return Fault(str(self.path), message, self.line(at), setting)


def read(path: Path, error: type[ConfigurationError], chosen_by: str) -> TomlFile:
    """Read and parse the file that an option or a setting chose. Raises `error` where it cannot be read or parsed."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        raise error([Fault(str(path), f"there is no such file (chosen by {chosen_by})")]) from None
    except OSError as exc:
        raise error([Fault(str(path), f"cannot be read: {exc.strerror or type(exc).__name__}")]) from exc
    except UnicodeDecodeError as exc:
        line = content[: exc.start].count(b"\n") + 1
        raise error([Fault(str(path), f"cannot be read: not UTF-8 text ({exc.reason})", line)]) from None
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as exc:  # beside its own error: endless numbers, endless nesting
        place = PLACE_IN_MESSAGE.search(str(exc))
        line = int(place[1]) if place else len(text.rstrip().splitlines())
        raise error([Fault(str(path), f"not TOML: {PLACE_IN_MESSAGE.sub('', str(exc))}", line)]) from exc
    return TomlFile(path, document, find_lines(text))


def unknown_keys(file: TomlFile, known: Sequence[str]) -> list[Fault]:
    """Return a fault for each key or table at the top of the file that is not known."""
    return [
        file.fault((key,), unknown(key, known, a_table=isinstance(value, dict)))
        for key, value in file.document.items()
        if key not in known
    ]


def entries(file: TomlFile, table: str, model: type[Entry]) -> tuple[list[tuple[int, Entry]], list[Fault]]:
    """Validate each `[[table]]` against a model; return the good ones with their index, and every fault of the rest."""
    raw = file.document.get(table, [])
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        return [], [file.fault((table,), f"write each {table} under its own [[{table}]]")]
    good: list[tuple[int, Entry]] = []
    faults: list[Fault] = []
    for index, item in enumerate(raw):
        name = item.get("id") or item.get("name")
        who = f"{table} {name!r}" if isinstance(name, str) else f"{table} number {index + 1}"
        entry, found = validated(file, (table, index), item, model, who)
        faults += found
        if entry is not None:
            good.append((index, entry))
    return good, faults


def validated(
    file: TomlFile, at: KeyPath, item: object, model: type[Entry], who: str
) -> tuple[Entry | None, list[Fault]]:
    """Validate what stands at a path against a model; return it or None, and every fault, told about `who`."""
    try:
        return model.model_validate(item), []
    except ValidationError as exc:
        problems = exc.errors(include_url=False)
    return None, [file.fault((*at, *each["loc"]), f"{who}: {_about(each, model)}") for each in problems]


def _about(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    words = in_words(problem, keys_at(model, problem["loc"][:-1]))
    named = problem["type"] == MISSING or problem["type"] in UNKNOWN or not problem["loc"]
    return words if named else f"{'.'.join(map(str, problem['loc']))}: {words}"
