"""Everything in a TOML document is found at its line, however it is written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.config.toml_file import KeyPath, find_lines, read
from agent.errors import SettingsError

EVERYTHING = '''top = 1 # [no.header]
"quoted key" = "[no header]"
a.b."c.d" = 1979-05-27 07:32:00
text = """
[no.header]
key = 1
""\\""""
raw = \'\'\'
[[no.array]]
\'\'\'

[plain] # a comment
x = [
  1,   # a = 1
  [2, 3],
  { y = 4, z.w = [5,
    6] },
]
float = 1.5e3

  [ plain . "nested" ]
inline = { one = 1, two = { three = { four = [] } } }

[[list]]
n = 0
[[list.inner]]
n = 1
[[list.inner]]
n = 2
[list.inner.table]
n = 3
[[list]]
[list.table]
"\\u0061" = 'b'
[connectors.desk]
"1" = true
'''
EXPECTED: dict[KeyPath, int] = {
    ("quoted key",): 2,
    ("a", "b", "c.d"): 3,
    ("a", "b"): 3,
    ("text",): 4,
    ("raw",): 8,
    ("plain",): 12,
    ("plain", "x"): 13,
    ("plain", "x", 0): 14,
    ("plain", "x", 1): 15,
    ("plain", "x", 1, 1): 15,
    ("plain", "x", 2, "y"): 16,
    ("plain", "x", 2, "z", "w", 1): 17,
    ("plain", "float"): 19,
    ("plain", "nested"): 21,
    ("plain", "nested", "inline", "two", "three", "four"): 22,
    ("list",): 24,
    ("list", 0): 24,
    ("list", 0, "inner", 0, "n"): 27,
    ("list", 0, "inner", 1, "n"): 29,
    ("list", 0, "inner", 1, "table", "n"): 31,
    ("list", 1): 32,
    ("list", 1, "table", "a"): 34,
    ("connectors", "desk"): 35,
    ("connectors", "desk", "1"): 36,
}


def paths(value: Any, at: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of everything in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*at, key)
        yield from paths(item, (*at, key))


def test_each_is_found_at_its_line() -> None:
    lines = find_lines(EVERYTHING)
    assert {path: lines.get(path) for path in EXPECTED} == EXPECTED


@pytest.mark.parametrize("text", [EVERYTHING, *(p.read_text("utf-8") for p in Path("config").glob("*.toml"))])
def test_nothing_is_left_out_and_nothing_is_made_up(text: str) -> None:
    assert set(find_lines(text)) == set(paths(tomllib.loads(text)))


def test_a_fault_by_the_path_of_a_key_gets_file_and_line(tmp_path: Path) -> None:
    """What a validator that knows no files returns is enough."""
    path = tmp_path / "manifest.toml"
    path.write_text(EVERYTHING, encoding="utf-8")
    file = read(path, SettingsError, "a test")
    assert str(file.fault(("plain", "x", 2, "y"), "too small")) == f"{path}:16: too small"
    assert file.line(("connectors", "desk", "absent", 3)) == 35
    assert file.line(("absent",)) == 1
