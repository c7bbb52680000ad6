"""Read a list of the API page by page, never more pages than the manifest says.

A short page is not the last one unless the vendor promises so: some systems filter a page after cutting it. Of a link
to the next page only its parameters are taken, never where it leads: the next request goes where the last one went.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.errors import MalformedPayload, Permanent
from connectors.http import Response
from connectors.manifest import placeholders
from connectors.manifest.access import Access
from connectors.manifest.mapping import sought
from connectors.manifest.parts import Page, Rows
from connectors.manifest.values import text_of

_NEXT = re.compile(r'<([^<>]{1,2000})>\s*;[^,<>]{0,200}\brel="?next"?')


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows that were read; `complete` is False where there are more pages than may be read."""

    rows: list[Any]
    complete: bool


async def read_list(
    access: Access, where: Rows, values: Mapping[str, Any], enough: Callable[[list[Any]], bool] | None = None
) -> Listed:
    """Read a list, until the rows are `enough`. Raises ConnectorError."""
    path = placeholders.path(where.get, values)
    params: dict[str, Any] = placeholders.filled(where.query, values)
    page, rows = where.page, list[Any]()
    if page is not None:
        params |= {page.size_param: page.size} if page.size_param else {}
        params |= {page.param: page.first} if page.by == "page" and page.param else {}
    for number in range(1, (page.most if page else 1) + 1):
        answer, response = await access.ask("GET", path, params)
        try:
            found = sought(where.rows, answer)
        except MalformedPayload as error:
            raise Permanent(f"GET {path}: {error}") from None
        if not isinstance(found, list):
            raise Permanent(f"GET {path}: the answer has no list at {where.rows.text}")
        rows += found
        following = _following(page, params, number, len(rows), answer, response) if page else None
        if following is None or not found or (page and page.until == "short" and len(found) < page.size):
            return Listed(rows, complete=True)
        if enough is not None and enough(rows):
            break
        params = following
    return Listed(rows, complete=False)


def _following(
    page: Page, params: dict[str, Any], number: int, read: int, answer: Any, response: Response
) -> dict[str, Any] | None:
    """Return the parameters of the next page, None where there is none."""
    param = page.param or ""
    match page.by:
        case "page":
            return params | {param: page.first + number}
        case "offset":
            return params | {param: read}
        case "cursor":
            cursor = text_of(sought(page.next, answer))
            return params | {param: cursor} if cursor and cursor != str(params.get(param)) else None
        case "next":
            return _of_address(params, text_of(sought(page.next, answer)))
        case _:
            found = _NEXT.search(response.headers.get("link", "")[:4_000])
            return _of_address(params, found[1] if found else None)


def _of_address(params: dict[str, Any], address: str | None) -> dict[str, Any] | None:
    if not address:
        return None
    try:
        following = params | dict(parse_qsl(urlsplit(address).query, max_num_fields=50))
    except ValueError:
        return None
    return following if following != params else None
