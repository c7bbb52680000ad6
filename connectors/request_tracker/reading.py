"""Reading RT: its lists are cut into pages first and filtered then, so that a short page is not the last one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from connectors.deliveries import Wire, decode, read_json
from connectors.errors import MalformedPayload, Permanent, TicketNotFound
from connectors.http import Response, call
from connectors.request_tracker.mapping import SAID, text_of
from connectors.request_tracker.payload import Attachment, Changed, TicketRow, Transaction, User

PAGE = 100
MOST_PAGES = 50
TEXTS = ("text/plain", "text/html")
NO_USER = frozenset({"RT_System", "Nobody"})
MOST_KNOWN = 10_000
"""Users that are remembered as staff or not."""

Model = TypeVar("Model", bound=Wire)


class Reader:
    """Reads what one RT shows to our account."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._staff: dict[str, bool] = {}

    async def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Response:
        """Ask for one thing."""
        return await call(self._client, "GET", f"REST/2.0/{path}", params=params)

    async def ticket(self, number: int) -> tuple[TicketRow, str]:
        """Return a ticket and the tag of its state, which is the number of its last transaction."""
        answer = await self.get(f"ticket/{number}", {"fields[Queue]": "Name"})
        return understood(TicketRow, answer), answer.headers.get("etag", "")

    async def history(self, number: int, last: str) -> list[Transaction]:
        """Return a ticket's history, oldest first; `last` is the tag of its state."""
        newest = int(text) if (text := last.strip('"')).isascii() and text.isdigit() else None
        fields = "Type,Field,OldValue,NewValue,Creator,Created"
        rows = await self.list(
            Transaction, f"ticket/{number}/history", {"fields": fields}, lambda rows: rows[-1].id == newest
        )
        return sorted(rows, key=lambda row: row.id)

    async def texts(self, number: int, history: Sequence[Transaction]) -> dict[int, str]:
        """Return what the transactions of a ticket say, by their number. Files are never asked for."""
        wanted = {row.id for row in history if row.Type in SAID or row.Type == "Create"}
        if not wanted:
            return {}
        path, fields = f"ticket/{number}/attachments", "ContentType,Filename,TransactionId"

        def all_there(rows: Sequence[Attachment]) -> bool:
            return wanted <= {row.TransactionId for row in rows}

        listed = await self.list(Attachment, path, {"fields": fields}, all_there)
        if all(row.ContentType in TEXTS or not row.ContentType for row in listed):
            listed = await self.list(Attachment, path, {"fields": f"{fields},Content"}, all_there)
        else:
            listed = [await self._attachment(row) for row in listed if row.ContentType in TEXTS and not row.Filename]
        return {one: text_of([row for row in listed if row.TransactionId == one]) for one in wanted}

    async def _attachment(self, row: Attachment) -> Attachment:
        """Return one text: asked for by itself, its content is in base64."""
        found = understood(Attachment, await self.get(f"attachment/{row.id}"), TransactionId=row.TransactionId)
        try:
            text = base64.b64decode(found.Content or "").decode("utf-8", "replace").replace("\0", "")
        except binascii.Error:
            text = found.Content or ""
        return row.model_copy(update={"Content": text})

    async def changed(self, since: str, enough: Callable[[Sequence[Changed]], bool]) -> tuple[list[Changed], bool]:
        """Return tickets that changed since a time, oldest change first, and whether these are all.

        Written with its zone, the time means the same whatever the zone of our account.
        """
        params = {
            "query": f"LastUpdated >= '{since}'",
            "orderby": "LastUpdated",
            "order": "ASC",
            "fields": "LastUpdated",
        }
        rows = await self.list(Changed, "tickets", params, enough)
        return rows, not enough(rows) if rows else True

    async def closed(self, since: str, last: int) -> tuple[list[Changed], int]:
        """Return the first tickets above a number that were closed since a time, and how many there are in all."""
        query = f"Resolved >= '{since}' AND id > {last}"
        params: dict[str, str | int] = {"query": query, "orderby": "id", "order": "ASC", "fields": "LastUpdated"}
        answer = _json(await self.get("tickets", {**params, "page": 1, "per_page": PAGE}))
        total = answer.get("total") if isinstance(answer, dict) else None
        rows = _rows(Changed, "tickets", answer)
        return rows, total if isinstance(total, int) else len(rows)

    async def queues(self) -> dict[str, str]:
        """Return the names of the queues that our account sees, by number."""
        rows = await self.list(_Queue, "queues/all", {"fields": "Name"})
        return {row.id: row.Name for row in rows if row.Name}

    async def staff(self, names: Collection[str]) -> dict[str, bool]:
        """Return which of these users are privileged; those that RT does not show are missing."""
        for name in sorted(set(names) - self._staff.keys() - NO_USER):
            try:
                user = understood(User, await self.get(f"user/{quote(name, safe='')}"))
            except (TicketNotFound, Permanent):
                continue
            if len(self._staff) < MOST_KNOWN:
                self._staff[name] = bool(user.Privileged)
        return {name: self._staff[name] for name in names if name in self._staff}

    async def list(
        self,
        model: type[Model],
        path: str,
        params: Mapping[str, str],
        enough: Callable[[list[Model]], bool] | None = None,
    ) -> list[Model]:
        """Return the rows of a list, page by page until one is empty, all are known to be there, or they are enough."""
        found: list[Model] = []
        for page in range(1, MOST_PAGES + 1):
            answer = await self.get(path, {**params, "page": page, "per_page": PAGE})
            listed = _json(answer)
            rows = _rows(model, path, listed)
            found += rows
            pages = listed.get("pages")
            last = isinstance(pages, int | float) and page >= pages
            if not rows or last or (enough is not None and enough(found)):
                return found
        raise Permanent(f"GET {path}: has more than {MOST_PAGES * PAGE} rows")


class _Queue(Wire):
    id: str
    Name: str | None = None


def _rows(model: type[Model], path: str, listed: Any) -> list[Model]:
    rows = listed.get("items") if isinstance(listed, dict) else None
    if not isinstance(rows, list):
        raise Permanent(f"GET {path}: the answer is not Request Tracker's: no items")
    try:
        return [model.model_validate(row, strict=False) for row in rows]
    except ValueError:
        raise Permanent(f"GET {path}: an item is not as Request Tracker documents it") from None


def understood(model: type[Model], answer: Response, **more: Any) -> Model:
    """Return an answer in its form. Raises Permanent where it is not RT's."""
    try:
        if not more:
            return decode(model, answer.body)
        return model.model_validate({**_json(answer), **more}, strict=False)
    except (MalformedPayload, ValueError, TypeError):
        raise Permanent("the answer is not Request Tracker's: it is not as documented") from None


def _json(answer: Response) -> Any:
    try:
        return read_json(answer.body)
    except MalformedPayload as error:
        raise Permanent(f"the answer is not Request Tracker's: {error}") from None
