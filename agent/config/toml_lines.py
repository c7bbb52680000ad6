"""The line of every key, table and element of an array in a TOML document, by its path.

`tomllib` keeps no line numbers. A scan of what it has accepted finds them: since the document is valid, it is enough to
tell keys from values and to know which table is open (https://toml.io/en/v1.0.0).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
"""Where something stands in a document, as in pydantic's `loc`: ("rule", 1, "keywords", 0)."""

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
    """What is known while reading: the table of the last header, the containers that are open, the key in hand."""

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


def find_lines(text: str) -> dict[KeyPath, int]:
    """Map each path in a valid document to its line, counted from 1; a table's line is that of its header."""
    scan = _Scan()
    for kind, token, line in _tokens(text):
        scan.take(kind, token, line)
    return scan.lines


def _tokens(text: str) -> Iterator[tuple[str | None, str, int]]:
    line = 1
    for found in TOKEN.finditer(text):
        yield found.lastgroup, found[0], line
        line += found[0].count("\n")
