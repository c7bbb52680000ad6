"""Read a list of the API page by page, never more pages than the manifest says.

A short page is not the last one unless the vendor promises so: some systems filter a page after cutting it. Of a link
to the next page only its parameters are taken, never where it leads: the next request goes where the last one went.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from connectors.deliveries import Wire
from connectors.errors import MalformedPayload, Permanent, TicketNotFound
from connectors.http import Response
from connectors.manifest import placeholders
from connectors.manifest.access import Access, sent
from connectors.manifest.mapping import sought
from connectors.manifest.parts import Comments, Each, Page, Rows
from connectors.manifest.values import text_of

MOST_SAME = 4
"""Pages in a row that may be the one before them."""

_NEXT = re.compile(r'<([^<>]{1,2000})>\s*;[^,<>]{0,200}\brel="?next"?')


class Turn(Wire):
    """What asks for a page: the parameters, its number from 1, and how many rows stand on the pages before it.

    The parameters are the whole query, or what is put into the body by its path. `last`: a digest of the page before,
    "" of an empty one; `same`: so many pages before it were that one.
    """

    params: dict[str, Any]
    number: int = 1
    read: int = 0
    last: str = ""
    same: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows that were read; `complete` is False where there are more pages than may be read."""

    rows: list[Any]
    complete: bool


async def read_list(
    access: Access, where: Rows, values: Mapping[str, Any], enough: Callable[[list[Any]], bool] | None = None
) -> Listed:
    """Read a list, until the rows are `enough`: then it is not complete. Raises ConnectorError."""
    rows, turn = list[Any](), first(where, values)
    for _ in range(where.page.most if where.page else 1):
        found, following = await read_page(access, where, values, turn)
        rows += found
        if following is None:
            full = where.page is not None and where.page.by == "limit" and len(found) >= where.page.size
            return Listed(rows, complete=not full)
        if enough is not None and enough(rows):
            break
        turn = following
    return Listed(rows, complete=False)


async def read_whole(access: Access, where: Rows, values: Mapping[str, Any], called: str) -> list[Any]:
    """Read all of a list. Raises ConnectorError, Permanent where it is longer than may be read."""
    listed = await read_list(access, where, values)
    if not listed.complete:
        raise Permanent(f"{' '.join(where.request)}: the list is longer than {called} page.most allows to read")
    return listed.rows


async def read_down(access: Access, where: Rows, values: Mapping[str, Any], old: Callable[[Any], bool]) -> Listed:
    """Read a list that begins with its newest row, down to a page that ends with an `old` one. Raises ConnectorError.

    An old row above newer ones ends nothing: some systems pin rows to the top. It is complete down to the old ones.
    """
    listed = await read_list(access, where, values, lambda rows: bool(rows) and old(rows[-1]))
    reached = listed.complete or bool(listed.rows and old(listed.rows[-1]))
    return Listed([row for row in listed.rows if not old(row)], complete=reached)


async def read_comments(access: Access, where: Comments, row: Any, values: Mapping[str, Any]) -> list[Any]:
    """Read a list of what people wrote on a ticket, whose `row` may hold it. Raises ConnectorError."""
    if (listing := where.listing) is None:
        found = sought(where.inside, row)
        rows = found if isinstance(found, list) else []
    else:
        rows = await read_whole(access, listing, values, "[read.comments]")
    return rows if where.each is None else await read_each(access, where.each, rows, values)


async def read_each(
    access: Access, each: Each, rows: Sequence[Any], values: Mapping[str, Any], *, may_be_gone: bool = False
) -> list[Any]:
    """Read the rows of a list one by one; one that `may_be_gone` meanwhile is left out. Raises ConnectorError."""
    if len(rows) > each.most:
        raise Permanent(f"{' '.join(each.request)}: {len(rows)} rows are more than each.most allows to read")
    found = list[Any]()
    for row in rows:
        item = sought(each.item, row)
        try:
            answer = await access.read(each, {**values, "item": item if type(item) is int else text_of(item) or ""})
        except TicketNotFound:
            if not may_be_gone:
                raise
            continue
        found.append(answer if each.at is None else sought(each.at, answer))
    return found


def first(where: Rows, values: Mapping[str, Any]) -> Turn:
    """Return what asks for the first page of a list."""
    page, params = where.page, dict[str, Any]()
    if page is not None and page.place == "text":
        return Turn(params={"page": page.begins})
    if not _in_body(where):
        params = placeholders.filled(where.query, values)
    if page is not None:
        params |= {page.size_param: page.size} if page.size_param else {}
        counts = page.by == "page" or (page.by == "offset" and page.first is not None)
        params |= {page.param: page.begins} if counts and page.param else {}
    return Turn(params=params)


async def read_page(
    access: Access, where: Rows, values: Mapping[str, Any], turn: Turn
) -> tuple[list[Any], Turn | None]:
    """Return the rows of a page, and what asks for the next one; None where it is the last. Raises ConnectorError."""
    (method, path), page = where.request, where.page
    if page is not None and page.place == "text":
        values = {**values, **turn.params}
    path, what = placeholders.path(path, values), f"{method} {path}"
    given = sent(where, values)
    if _in_body(where):
        given = replace(given, body=put(given.body or {}, turn.params))
    elif page is not None and page.place == "query":
        given = replace(given, query=turn.params)
    answer, response = await access.ask(method, path, given)
    try:
        found = sought(where.rows, answer)
    except MalformedPayload as error:
        raise Permanent(f"{what}: {error}") from None
    if found is None and response.status == httpx.codes.NO_CONTENT:
        found = []
    if not isinstance(found, list):
        raise Permanent(f"{what}: the answer has no list at {where.rows.text}")
    if page is None or (not found and page.by in ("page", "offset")):
        return await _whole(access, where, found, values), None
    shown = _digest(found) if found or page.until == "repeated" else ""
    if page.until == "repeated" and shown == turn.last:
        return [], None
    if page.until == "short" and len(found) < page.size:
        return await _whole(access, where, found, values), None
    read = turn.read + len(found)
    params = _following(page, turn.params, turn.number, read, answer, response)
    same = turn.same + 1 if shown and shown == turn.last else 0
    whole = await _whole(access, where, found, values)
    if params is None:
        return whole, None
    return whole, Turn(params=params, number=turn.number + 1, read=read, last=shown, same=same)


async def read_on(access: Access, where: Rows, values: Mapping[str, Any], turn: Turn) -> tuple[list[Any], Turn | None]:
    """Read a page of a list that may have any number of pages. Raises ConnectorError.

    One page again and again is no list; once or twice it may be, where tickets that changed have moved the others on.
    """
    rows, following = await read_page(access, where, values, turn)
    if following is not None and following.same == MOST_SAME:
        raise Permanent(
            f"{' '.join(where.request)}: answers the same page again and again, so that the list has no end: page.param"
            ' has another name, or page.until is "repeated"'
        )
    return rows, following


async def _whole(access: Access, where: Rows, rows: list[Any], values: Mapping[str, Any]) -> list[Any]:
    return rows if where.each is None else await read_each(access, where.each, rows, values, may_be_gone=True)


def _digest(rows: list[Any]) -> str:
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:16]


def _in_body(where: Rows) -> bool:
    return where.page is not None and where.page.place == "body"


def put(body: dict[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with values put in by their paths: `variables.after` is in its table `variables`."""
    made = dict(body)
    for where, value in params.items():
        name, _, inner = where.partition(".")
        made[name] = put(made.get(name, {}), {inner: value}) if inner else value
    return made


def _following(
    page: Page, params: dict[str, Any], number: int, read: int, answer: Any, response: Response
) -> dict[str, Any] | None:
    """Return the parameters of the next page, None where there is none."""
    param = "page" if page.place == "text" else page.param or ""
    match page.by:
        case "page":
            return params | {param: int(page.begins) + number}
        case "offset":
            return params | {param: int(page.begins) + read}
        case "limit":
            return None
        case "cursor":
            cursor = text_of(sought(page.next, answer))
            return params | {param: cursor} if cursor and cursor != str(params.get(param)) else None
        case "next":
            told = sought(page.next, answer)
            return _of_table(params, told) if isinstance(told, dict) else _of_address(params, text_of(told))
        case _:
            found = _NEXT.search(response.headers.get("link", "")[:4_000])
            return _of_address(params, found[1] if found else None)


def _of_table(params: dict[str, Any], told: dict[str, Any]) -> dict[str, Any] | None:
    """Return the parameters with those that the answer tells; None where it leaves one open."""
    following = params | told
    return following if following != params and None not in told.values() else None


def _of_address(params: dict[str, Any], address: str | None) -> dict[str, Any] | None:
    if not address:
        return None
    try:
        following = params | dict(parse_qsl(urlsplit(address).query, max_num_fields=50))
    except ValueError:
        return None
    return following if following != params else None
