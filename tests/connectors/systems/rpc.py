"""Trac with its RPC plugin, and Kanboard: one address, methods in bodies, faults in answers that say 200."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import httpx

from tests.connectors.systems.fake import BOT, PAGE, Comment, Fake, Route, Ticket, body


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


class Kanboard(Fake):
    """Projects show their last fifty events; what our account may not see is 403. Source: Kanboard 1.2.51."""

    url = "https://board.example.test"
    settings: ClassVar[Mapping[str, Any]] = {"user": "rolecall", "project": "1"}
    groups = ("Pumps & Drives", "Grid")

    def routes(self) -> Sequence[Route]:
        return [("POST", "/jsonrpc.php", lambda request: self.called(body(request)))]

    def writes(self, request: httpx.Request) -> bool:
        return not body(request)["method"].startswith(("get", "search"))

    def called(self, given: Mapping[str, Any]) -> Any:
        methods: dict[str, Callable[..., Any]] = {
            "getMe": lambda: {"id": BOT, "username": "rolecall"},
            "searchTasks": self.search,
            "getAllComments": lambda task_id: [self.said(comment) for comment in self.tickets[task_id].comments],
            "getTaskTags": lambda task_id: dict(enumerate(self.tickets[task_id].tags)),
            "getAllCategories": lambda project_id: [{"id": n, "name": name} for n, name in enumerate(self.groups, 1)],
            "getProjectActivity": lambda project_id: self.activity(),
            "createComment": self.add,
            "updateComment": self.edit,
            "removeComment": lambda comment_id: self.remove(None, str(comment_id)).status_code == 204 or {}["gone"],
            "updateTask": self.update,
            "setTaskTags": lambda project_id, task_id, tags: self.put(self.tickets[task_id], tags=tags) is None,
        }
        try:
            result = methods[given["method"]](**given.get("params", {}))
        except KeyError:
            return httpx.Response(
                403, json={"jsonrpc": "2.0", "error": {"code": 403, "message": "Forbidden"}, "id": None}
            )
        return {"jsonrpc": "2.0", "result": result, "id": given["id"]}

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "id": ticket.id,
            "title": ticket.subject,
            "description": ticket.body,
            "category_name": ticket.group,
            "is_active": int(ticket.closed is None),
            "owner_id": 0,
            "creator_id": 17,
            "priority": 0,
            "date_creation": int(ticket.created.timestamp()),
            "date_modification": int(ticket.updated.timestamp()),
            "date_completed": int(ticket.closed.timestamp()) if ticket.closed else None,
        }

    def said(self, comment: Comment) -> dict[str, Any]:
        who = {"user_id": comment.author, "username": "tech", "name": ""}
        seen = "app-manager" if comment.internal else "app-user"
        at = int(comment.at.timestamp())
        return who | {"id": comment.id, "comment": comment.text, "visibility": seen, "date_creation": at}

    def search(self, project_id: str, query: str) -> list[Any]:
        if query.startswith("#"):
            ticket = self.ticket(query[1:])
            return [self.shown(ticket)] if ticket else []
        return [self.shown(ticket) for ticket in self.changed(query.removeprefix("modified:>="), "%Y-%m-%d")]

    def activity(self) -> list[Any]:
        rows = [(at, ticket.id) for ticket in self.tickets.values() for at in {ticket.created, ticket.updated}]
        rows += [(comment.at, ticket.id) for ticket in self.tickets.values() for comment in ticket.comments]
        return [{"task_id": number, "date_creation": int(at.timestamp())} for at, number in sorted(rows)[:-51:-1]]

    def add(self, task_id: int, user_id: str, content: str, visibility: str) -> int:
        assert user_id == str(BOT)
        return self.say(self.tickets[task_id], content, BOT, internal=visibility != "app-user").id

    def edit(self, id: int, content: str) -> bool:
        comment = self.comment(str(id))
        if comment is None:
            raise KeyError(id)
        comment.text = content
        return True

    def update(self, id: int, **given: Any) -> bool:
        group = self.groups[given["category_id"] - 1] if "category_id" in given else None
        self.put(self.tickets[id], group=group, subject=given.get("title"), body=given.get("description"))
        return True
