"""Bodies that no helpdesk sends, and recorded ones with one thing wrong."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

NEVER_VALID: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"<html>503</html>",
    "not UTF-8": b'{"ticket": "\xff\xfe"}',
    "UTF-16": '{"ticket": 1}'.encode("utf-16"),
    "binary": bytes(range(256)) * 16,
    "null": b"null",
    "array": b"[]",
    "string": b'"ticket"',
    "empty object": b"{}",
    "deep arrays": b"[" * 200_000,
    "deep closed arrays": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a number of 5,000 digits": b'{"id": ' + b"9" * 5_000 + b"}",
    "truncated": b'{"ticket": {"id": 1',
    "two documents": b"{}{}",
    "byte order mark": b"\xef\xbb\xbf{}",
}

WRONG: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 2**200, 1.5, "", "x", "12", "\0", "\ud800", [], [[]], {}, {"id": 1},
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", 10**30,
)  # fmt: skip
MISSING = object()
_CONSTANTS = ("NaN", "Infinity", "-Infinity")


def variants(body: bytes) -> Iterator[bytes]:
    """Yield the recorded body with each value in turn missing, of another type, out of range or unprintable."""
    document = json.loads(body)
    for path, wrong in places(document):
        yield variant(document, path, wrong)


def places(document: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield what can be wrong with a document: where, and what stands there instead; MISSING: nothing does."""
    for path in paths(document):
        for wrong in (*WRONG, MISSING):
            yield path, wrong


def variant(document: Any, path: tuple[Any, ...], wrong: Any) -> bytes:
    """Return a document with one thing wrong."""
    return json.dumps(_without(document, path) if wrong is MISSING else exchanged(document, path, wrong)).encode()


def never_valid_variants(body: bytes) -> Iterator[bytes]:
    """Yield the recorded body with a constant that is not JSON, and with a key given twice."""
    document = json.loads(body)
    for path in paths(document):
        for constant in _CONSTANTS:
            yield json.dumps(exchanged(document, path, "@@")).replace('"@@"', constant).encode()
    for key in document:
        yield body.rstrip().removesuffix(b"}") + f', "{key}": 1}}'.encode()


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*at, key)
        yield from paths(inner, (*at, key))


def exchanged(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    _holder(changed, path)[path[-1]] = value
    return changed


def _without(document: Any, path: tuple[Any, ...]) -> Any:
    changed = copy.deepcopy(document)
    del _holder(changed, path)[path[-1]]
    return changed


def _holder(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document
