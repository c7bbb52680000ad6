"""Read an operator's TOML file and report everything that is wrong with it at once, each fault with its line.

Code that validates part of a document without knowing the file, such as a connector, reports faults by the path of
their key; `TomlFile.fault` adds file and line. `tomllib` keeps no line numbers; a scan of the accepted document finds
those of every key, table and element of an array. Since the document is valid, it is enough to tell keys from values
and to know which table is open (https://toml.io/en/v1.0.0).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agent.config.in_words import MISSING, UNKNOWN, KeyPath, in_words, keys_at, unknown
from agent.errors import ConfigurationError, Fault

PLACE_IN_MESSAGE = re.compile(r" \(at line (\d+), column \d+\)$")

WORD_PROCESSOR = re.compile(
    "[\u00a0\u00ab\u00bb\u2000-\u200f\u2018-\u201f\u202f\u2028\u2029\u2039\u203a\u2060\u3000\ufeff]"
)
"""Quotation marks and blanks that look like those of TOML, and are none."""
_KEY = r"^\s*[\w.-]+\s*"
SLIPS = (
    (rf"{_KEY}=\s*(?:true|false|yes|no|on|off)\s*(?:#.*)?$", "write true or false, in small letters"),
    (rf"{_KEY}=\s*\d+,\d+\s*(?:#.*)?$", "write a number with a point, as 0.9"),
    (rf"{_KEY}:", "write = between a key and its value"),
    (rf"{_KEY}=\s*[A-Za-z/~]", "write a text in quotation marks"),
    (rf"{_KEY}=\s*$", "write a value behind =, or # before the line"),
)
"""Habits from other kinds of files, by the line that cannot be read."""
UNREADABLE = re.compile("not TOML: (?:Invalid value|Expected)")
"""What is said of such a line; others can be read, and say something twice, for example."""

Entry = TypeVar("Entry", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A parsed document with the line of every key, table and element."""

    path: Path
    document: Mapping[str, Any] = field(repr=False)
    lines: Mapping[KeyPath, int] = field(repr=False)

    def line(self, at: KeyPath) -> int:
        """Return the line of this path, or of the nearest table around it, or 1."""
        return next((self.lines[at[:end]] for end in range(len(at), 0, -1) if at[:end] in self.lines), 1)

    def fault(self, at: KeyPath, message: str, setting: str = "") -> Fault:
        """Return a fault at this path."""
        return Fault(str(self.path), message, self.line(at), setting)


def read(path: Path, error: type[ConfigurationError], chosen_by: str) -> TomlFile:
    """Read and parse the file that an option or setting names. Raises `error` if it cannot be read or parsed."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        here = Path(path.name).is_file() and chosen_by.startswith("--")
        hint = f"; there is {path.name} here: {chosen_by} {path.name}" if here else ""
        raise error([Fault(str(path), f"there is no such file (chosen by {chosen_by}){hint}")]) from None
    except OSError as exc:
        raise error([Fault(str(path), f"cannot be read: {exc.strerror or type(exc).__name__}")]) from exc
    except UnicodeDecodeError as exc:
        line = content[: exc.start].count(b"\n") + 1
        raise error(
            [Fault(str(path), f"cannot be read: not UTF-8 text ({exc.reason}): save it as UTF-8", line)]
        ) from None
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as exc:  # beside its own error: endless numbers, endless nesting
        place = PLACE_IN_MESSAGE.search(str(exc))
        line = int(place[1]) if place else len(text.rstrip().splitlines())
        said = f"not TOML: {PLACE_IN_MESSAGE.sub('', str(exc))}"
        written = "".join(text.splitlines(keepends=True)[line - 1 : line])
        if odd := WORD_PROCESSOR.search(written):
            said += f"; {odd[0]!a} may be a word processor's: type that quotation mark or blank again"
        elif UNREADABLE.match(said) and (
            advice := next((advice for slip, advice in SLIPS if re.match(slip, written, re.I)), None)
        ):
            said += f"; {advice}"
        raise error([Fault(str(path), said, line)]) from exc
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
    """Validate the value at a path against a model; return it or None, and every fault, with `who` as its subject."""
    try:
        return model.model_validate(item), []
    except ValidationError as exc:
        problems = exc.errors(include_url=False)
    return None, [file.fault((*at, *each["loc"]), f"{who}: {_about(each, model)}") for each in problems]


def _about(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    words = in_words(problem, keys_at(model, problem["loc"][:-1]))
    named = problem["type"] == MISSING or problem["type"] in UNKNOWN or not problem["loc"]
    return words if named else f"{'.'.join(map(str, problem['loc']))}: {words}"


TOKEN = re.compile(
    r'(?P<text>"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*')"
    r"|(?P<mark>[\[\]{},=.\n])|(?P<comment>\#[^\n]*)|(?P<space>[ \t\r]+)|(?P<bare>[^\s\[\]{},=.\#\"']+)",
    re.DOTALL,
)


@dataclass(slots=True)
class _Open:
    """A table or an array inside a value; `index` counts an array's elements and is None in a table."""

    path: KeyPath
    index: int | None


class _Scan:
    """The state of the scan: the table of the last header, the open containers, the current key."""

    def __init__(self) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.table: KeyPath = ()
        self.elements: dict[KeyPath, int] = {}
        """The index of the newest element of each array of tables."""
        self.inside: list[_Open] = []
        self.key: list[str] = []
        self.brackets = 0
        """Of the header that is being read."""
        self.value: KeyPath | None = None
        """Path of the value that is being read, None while a key is."""

    def take(self, kind: str | None, text: str, line: int) -> None:
        """Take the next token, which begins on this line."""
        if text == "\n":
            if not self.inside:
                self.key, self.value, self.brackets = [], None, 0
        elif kind in ("text", "bare"):
            self._word(kind, text, line)
        elif kind == "mark":
            self._mark(text, line)

    def _word(self, kind: str, text: str, line: int) -> None:
        if self.value is not None:
            self.lines.setdefault(self.value, line)
        else:
            self.key.append(text if kind == "bare" else tomllib.loads(f"key = {text}")["key"])

    def _mark(self, mark: str, line: int) -> None:
        if mark == "=":
            table = self.inside[-1].path if self.inside else self.table
            for end in range(1, len(self.key) + 1):
                self.lines.setdefault((*table, *self.key[:end]), line)
            self.value = (*table, *self.key)
        elif self.value is None and not self.inside:
            self._header(mark, line)
        elif mark in "[{":
            self._open(mark, line)
        elif mark in "]}":
            self.value = self.inside.pop().path
        elif mark == "," and self.inside:
            self._next(self.inside[-1])

    def _header(self, mark: str, line: int) -> None:
        if mark == "[":
            self.brackets += 1
        elif mark == "]" and self.key:
            path: KeyPath = ()
            for key in self.key[:-1]:
                path = self._newest((*path, key))
                self.lines.setdefault(path, line)
            path = (*path, self.key[-1])
            self.lines.setdefault(path, line)
            if self.brackets == 2:
                self.elements[path] = self.elements.get(path, -1) + 1
            self.table, self.key = self._newest(path), []
            self.lines[self.table] = line

    def _newest(self, path: KeyPath) -> KeyPath:
        return (*path, self.elements[path]) if path in self.elements else path

    def _open(self, mark: str, line: int) -> None:
        path = self.value or ()
        self.lines.setdefault(path, line)
        self.inside.append(_Open(path, 0 if mark == "[" else None))
        self.key, self.value = [], (*path, 0) if mark == "[" else None

    def _next(self, container: _Open) -> None:
        self.key, self.value = [], None
        if container.index is not None:
            container.index += 1
            self.value = (*container.path, container.index)


@lru_cache(maxsize=4)
def find_lines(text: str) -> Mapping[KeyPath, int]:
    """Map each path in a valid document to its line, counted from 1; a table's line is that of its header.

    What was found is kept: a start reads the same file several times.
    """
    scan = _Scan()
    for kind, token, line in _tokens(text):
        scan.take(kind, token, line)
    return MappingProxyType(scan.lines)


def _tokens(text: str) -> Iterator[tuple[str | None, str, int]]:
    line = 1
    for found in TOKEN.finditer(text):
        yield found.lastgroup, found[0], line
        line += found[0].count("\n")
