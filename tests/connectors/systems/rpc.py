"""Trac with its RPC plugin: one address, lists of numbers, dates as tables, faults in answers that say 200."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import httpx

from tests.connectors.systems.fake import BOT, PAGE, Fake, Route, Ticket, body


def _date(at: Any) -> Any:
    return {"__jsonclass__": ["datetime", at.strftime("%Y-%m-%dT%H:%M:%S")]}


def _fault(code: int, message: str) -> dict[str, Any]:
    return {"result": None, "error": {"name": "JSONRPCError", "code": code, "message": message}, "id": None}


class Trac(Fake):
    """Source: the docstrings of TracXMLRPC 1.1.9, which each installation shows at /rpc, and a server of Trac 1.6."""

    url = "https://trac.example.test/plant"
    api = "/plant/login"
    settings: ClassVar[Mapping[str, Any]] = {"user": str(BOT)}
    groups = ("Pumps & Drives", "Grid")

    def routes(self) -> Sequence[Route]:
        return [("POST", "/rpc", lambda request: self.called(body(request)))]

    def writes(self, request: httpx.Request) -> bool:
        return bool(body(request)["method"] == "ticket.update")

    def called(self, given: Mapping[str, Any]) -> Any:
        methods: dict[str, Callable[..., Any]] = {
            "system.multicall": lambda *calls: [self.called(call) for call in calls],
            "ticket.component.getAll": lambda: list(self.groups),
            "ticket.query": self.query,
            "ticket.get": self.shown,
            "ticket.changeLog": self.log,
            "ticket.update": self.update,
        }
        try:
            result = methods[given["method"]](*given.get("params", []))
        except KeyError as missing:
            return _fault(404, f"Ticket {missing} does not exist.")
        except ValueError as error:
            return _fault(-32603, str(error))
        return {"result": result, "error": None, "id": given.get("id")}

    def query(self, text: str) -> list[int]:
        asked = re.fullmatch(r"changetime=([^&]+)\.\.&order=changetime&max=50&page=(\d+)", text)
        assert asked, text
        rows, page = [ticket.id for ticket in self.changed(asked[1])], int(asked[2])
        if len(rows) > PAGE and (page - 1) * PAGE >= len(rows):
            raise ValueError(f"Page {page} is beyond the number of pages in the query")
        return rows[(page - 1) * PAGE : page * PAGE] if len(rows) > PAGE else rows

    def shown(self, number: int) -> list[Any]:
        ticket = self.tickets[number]
        fields = {"summary": ticket.subject, "description": ticket.body, "component": ticket.group, "reporter": "17"}
        fields["keywords"] = " ".join(ticket.tags)
        fields |= {"status": "closed" if ticket.closed else "new", "owner": "< default >", "priority": "major"}
        return [ticket.id, _date(ticket.created), _date(ticket.updated), fields]

    def log(self, number: int) -> list[list[Any]]:
        ticket = self.tickets[number]
        rows = [(c.at, c.author, "comment", str(c.id), c.text) for c in ticket.comments]
        rows += [(at, by, "component", before, after) for at, before, after, by in ticket.moves]
        rows += [(ticket.closed, 14, "status", "new", "closed")] if ticket.closed else []
        return [[_date(at), str(by), *what, 1] for at, by, *what in sorted(rows, key=lambda row: row[0])]

    def update(self, number: int, comment: str, changes: Mapping[str, Any]) -> list[Any]:
        ticket: Ticket = self.tickets[number]
        group = changes.get("component")
        assert changes["action"] == "leave"
        if group not in (None, *self.groups):
            raise ValueError(f'The ticket field component is invalid: "{group}" is not a valid value')
        if changes.keys() > {"action"}:
            tags = changes.get("keywords", "").split()
            self.put(ticket, group=group, subject=changes.get("summary"), tags=tags)
        if comment:
            self.say(ticket, comment, BOT, internal=False)
        return self.shown(number)
