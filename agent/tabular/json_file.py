"""Read JSON: one object a line, or one document with a list of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from agent.errors import BadInput
from agent.tabular.row import Cell, Row

SAMPLED = 200
"""Objects whose keys are taken as the columns."""

LARGEST_DOCUMENT = 100_000_000
"""Characters of a document that is no object a line: it can only be read as a whole."""

OF_DATA = "@odata."
"""Beginning of keys beside the list `value` (OData: Dynamics, SharePoint, TOPdesk)."""

SHOWN = (
    *("$date", "$oid", "$numberLong", "$numberInt"),
    *("display_value", "displayValue", "displayName", "name", "value", "label", "title", "text"),
)
"""Keys of an object that stand for it, in words of MongoDB, ServiceNow, Jira, Zendesk and MaintainX; the first does."""

LISTS = (
    "tickets",
    "issues",
    "records",
    "result",
    "results",
    "requests",
    "workOrders",
    "items",
    "values",
    "nodes",
    "rows",
    "data",
)
"""Keys of a document under which exports and APIs list what was asked for."""

_NEXT = re.compile(r"[\s\x1e]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonFile:
    """Objects as rows; a key inside an object is named `outer.inner`."""

    def __init__(self, file: Path, text: Iterable[str]) -> None:
        """Look at the first objects. Raises BadInput where the text is no JSON, or too long to be read at once."""
        lines = iter(text)
        start = list(islice(lines, SAMPLED))
        if _is_lines([line for line in start if line.strip()]):
            self._objects = _numbered(chain(start, lines))
        else:
            self._objects = iter(_listed(file, chain(start, lines)))
        self._sample = list(islice(self._objects, SAMPLED))
        named = (name for _, found in self._sample if found is not None for name in found)
        self._columns = dict.fromkeys(named, 1)

    @property
    def columns(self) -> dict[str, int]:
        """The keys of the first objects."""
        return self._columns

    def rows(self, wanted: Sequence[str]) -> Iterator[Row]:
        """Yield every object, with its values of the wanted keys; once."""
        for line, found in chain(self._sample, self._objects):
            if found is None:
                yield Row(line, (), "no JSON object")
            else:
                yield Row(line, tuple(found.get(name, "") for name in wanted))


def _is_lines(start: Sequence[str]) -> bool:
    """Return whether each line is an object: the first one, or the second after a faulty one."""
    if len(start) == 1 and isinstance(only := _loaded(start[0]), dict) and _list_in(only) is not None:
        return False
    return any(isinstance(_loaded(line), dict) for line in start[:2]) and not start[0].lstrip().startswith("[")


def _numbered(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Cell] | None]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _row(_loaded(line))


def _listed(file: Path, lines: Iterable[str]) -> list[tuple[int, dict[str, Cell] | None]]:
    parts, length = [], 0
    for line in lines:
        parts.append(line)
        length += len(line)
        if length > LARGEST_DOCUMENT:
            raise BadInput(f"{file} is too long for one JSON document: export it as CSV, or as one object a line")
    try:
        document = _document("".join(parts))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file} is no JSON: {error}") from None
    if isinstance(document, dict):
        document = _list_in(document) or [document]
    return [(number, _row(found)) for number, found in enumerate(document if isinstance(document, list) else [], 1)]


def _document(text: str) -> Any:
    """Return the document, or the list of those that stand there one behind the other, as jq writes them."""
    try:
        return json.loads(text)
    except ValueError as error:
        found, at, decoder = [], 0, json.JSONDecoder()
        while len(text) > (at := _NEXT.match(text, at).end()):  # type: ignore[union-attr]  # it matches nothing, too
            try:
                one, at = decoder.raw_decode(text, at)
            except ValueError:
                raise error from None
            found.append(one)
        if not all(isinstance(one, dict) for one in found):
            raise
        return found


def _list_in(document: Mapping[str, Any]) -> list[Any] | None:
    """Return the list of objects that an answer of an API wraps, None where it is an object of its own."""
    of_data = any(name.startswith(OF_DATA) for name in document)
    for name in (*LISTS, "value") if of_data else LISTS:
        if isinstance(found := document.get(name), list):
            return found
        if isinstance(found, dict) and (inner := _list_in(found)) is not None:
            return inner
    return None


def _loaded(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _row(found: Any) -> dict[str, Cell] | None:
    return dict(_flat(found)) if isinstance(found, dict) else None


def _flat(found: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Cell]]:
    for key, value in found.items():
        name = _sound(f"{before}{key}")
        if isinstance(value, dict) and not any(key in value for key in SHOWN) and depth < 3:
            yield from _flat(value, f"{name}.", depth + 1)
        else:
            yield name, _cell(value)


def _cell(value: Any) -> Cell:
    if isinstance(value, list):
        return tuple(text for item in value if (text := _text(item)).strip())
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return _sound(value)
    if value is None:
        return ""
    if isinstance(value, dict) and (shown := next((value[key] for key in SHOWN if key in value), None)) is not None:
        return json.dumps(shown) if isinstance(shown, list) else _text(shown)
    return _number(value) if isinstance(value, float) else json.dumps(value)


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _sound(text: str) -> str:
    """Return the text with U+FFFD for half a pair of surrogates, which no database takes."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
