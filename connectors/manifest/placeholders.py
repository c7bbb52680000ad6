"""Fill `{name}` in the requests of a manifest. This is no template language: there is nothing but names.

A text that *is* one placeholder becomes the value itself; inside a text, the value is put in as text. Values are put
into the parsed document, never into JSON, and into a path only percent-encoded: whatever a value holds, it stays one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")

Values = Mapping[str, Any]


def filled(template: Any, values: Values) -> Any:
    """Return a body or query with its placeholders filled."""
    if isinstance(template, dict):
        return {key: filled(value, values) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [filled(value, values) for value in template]
    if not isinstance(template, str):
        return template
    if whole := PLACEHOLDER.fullmatch(template):
        return values[whole[1]]
    return PLACEHOLDER.sub(lambda found: str(values[found[1]]), template)


def parameters(given: Values) -> dict[str, Any]:
    """Return the parameters of an address or a form: a table among them is sent as JSON, and so is a list of tables."""
    return {name: json.dumps(value) if _is_nested(value) else value for name, value in given.items()}


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict | list) for each in value))


def path(template: str, values: Values) -> str:
    """Return a path with its placeholders filled, each of them one part of it."""
    return PLACEHOLDER.sub(lambda found: quote(str(values[found[1]]), safe=""), template)


def address(template: str, values: Values) -> str:
    """Return an address with its placeholders filled: these are the operator's own."""
    return PLACEHOLDER.sub(lambda found: str(values[found[1]]), template)


def names(template: Any) -> Iterator[str]:
    """Yield the names of the placeholders in a template."""
    if isinstance(template, dict):
        for value in template.values():
            yield from names(value)
    elif isinstance(template, list | tuple):
        for value in template:
            yield from names(value)
    elif isinstance(template, str):
        yield from PLACEHOLDER.findall(template)
