"""Read an operator's TOML file and report everything that is wrong with it at once, each fault with its line.

`tomllib` keeps no line numbers, so a light scan finds them: strings and comments are blanked, what is left at the start
of a line is a table header or a key (https://toml.io/en/v1.0.0).
"""

from __future__ import annotations

import difflib
import re
import tomllib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agent.errors import RolecallError

QUOTED = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'" r"|\#[^\n]*",
    re.DOTALL,
)
HEADER = re.compile(r"^[ \t]*\[\[?[ \t]*([\w.-]+)[ \t]*\]\]?[ \t]*$", re.MULTILINE)
KEY = re.compile(r"^[ \t]*([\w-]+)[ \t]*=", re.MULTILINE)
PLACE_IN_MESSAGE = re.compile(r" \(at line (\d+), column \d+\)$")

Entry = TypeVar("Entry", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a file, told to the person who wrote it. `line` counts from 1."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class FaultyFile(RolecallError):
    """A configuration file cannot be used; `faults` says everything that is wrong with it, in order of lines."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (str(fault.path), fault.line)))
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A parsed document that knows the line of each `[[table]]` and of each key in it."""

    path: Path
    document: dict[str, Any]
    lines: dict[tuple[str, int, str], int]

    def line(self, table: str, index: int = 0, key: str = "") -> int:
        """Return the line of a key, of its table's header where the key is not found, or 1."""
        return self.lines.get((table, index, key)) or self.lines.get((table, index, ""), 1)

    def fault(self, table: str, index: int, key: str, message: str) -> Fault:
        """Return a fault at a key of a table."""
        return Fault(self.path, self.line(table, index, key), message)


def read(path: Path, error: type[FaultyFile]) -> TomlFile:
    """Read and parse the file. Raises `error` where it cannot be read or is not TOML."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise error([Fault(path, 1, f"cannot be read: {exc}")]) from exc
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as exc:  # beside its own error: endless numbers, endless nesting
        place = PLACE_IN_MESSAGE.search(str(exc))
        line = int(place[1]) if place else len(text.rstrip().splitlines())
        raise error([Fault(path, line, f"not TOML: {PLACE_IN_MESSAGE.sub('', str(exc))}")]) from exc
    return TomlFile(path, document, find_lines(text))


def find_lines(text: str) -> dict[tuple[str, int, str], int]:
    """Map (table, index, key) to its line; key "" is the table's header, table "" the top of the file."""
    bare = QUOTED.sub(_blank, text)
    starts = [0, *(found.end() for found in re.finditer("\n", bare))]
    seen: dict[str, int] = {}
    places: list[tuple[int, str, int]] = [(0, "", 0)]
    for header in HEADER.finditer(bare):
        name = header[1]
        seen[name] = seen.get(name, -1) + 1
        places.append((header.start(1), name, seen[name]))
    lines = {(name, index, ""): bisect_right(starts, at) for at, name, index in places}
    offsets = [at for at, _, _ in places]
    for key in KEY.finditer(bare):
        _, name, index = places[bisect_right(offsets, key.start(1)) - 1]
        lines.setdefault((name, index, key[1]), bisect_right(starts, key.start(1)))
    return lines


def unknown_keys(file: TomlFile, known: Sequence[str]) -> list[Fault]:
    """Return a fault for each key or table at the top of the file that is not known."""
    return [
        Fault(file.path, max(file.line(key), file.line("", 0, key)), f"unknown key {key!r}{_near(key, known)}")
        for key in file.document
        if key not in known
    ]


def entries(file: TomlFile, table: str, model: type[Entry]) -> tuple[list[tuple[int, Entry]], list[Fault]]:
    """Validate each `[[table]]` against a model; return the good ones with their index, and every fault of the rest."""
    raw = file.document.get(table, [])
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        return [], [file.fault(table, 0, "", f"write each {table} under its own [[{table}]]")]
    good: list[tuple[int, Entry]] = []
    faults: list[Fault] = []
    for index, item in enumerate(raw):
        try:
            good.append((index, model.model_validate(item)))
        except ValidationError as exc:
            name = item.get("id") or item.get("name")
            who = f"{table} {name!r}" if isinstance(name, str) else f"{table} number {index + 1}"
            known = [field.alias or key for key, field in model.model_fields.items()]
            for problem in exc.errors(include_url=False):
                key = str(problem["loc"][0]) if problem["loc"] else ""
                faults.append(file.fault(table, index, key, f"{who}: {_in_words(key, dict(problem), known)}"))
    return good, faults


def _in_words(key: str, problem: dict[str, Any], known: Sequence[str]) -> str:
    """Say what pydantic found in the words of the file's author."""
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key!r}{_near(key, known)}"
    if problem["type"] == "missing":
        return f"key {key!r} is missing"
    message = str(problem["msg"]).removeprefix("Value error, ").replace("Input should be", "should be")
    return f"{key}: {message}" if key else message


def _near(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else f" (known: {', '.join(known)})"


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])
