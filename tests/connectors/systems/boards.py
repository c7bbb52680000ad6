"""Azure DevOps in memory: queries that yield ids, fields by their reference names, changes as JSON Patch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import httpx

from tests.connectors.systems.fake import BOT, PAGE, Comment, Fake, Route, Ticket, body, iso

VERSIONS = {"comments": "7.1-preview.4", "connectionData": "7.1-preview"}
WIQL = (
    r"SELECT \[System.Id\] FROM WorkItems WHERE \[System.TeamProject\] = @project AND \[System.ChangedDate\] >= '(.+)' "
)
WIQL += r"ORDER BY \[System.ChangedDate\] ASC, \[System.Id\] ASC"


class AzureDevOps(Fake):
    """Source: learn.microsoft.com/rest/api/azure/devops/wit, version 7.1."""

    url = "https://dev.azure.com/nordhafen"
    api = "/nordhafen"
    settings: ClassVar[Mapping[str, Any]] = {"project": "Plant 7"}
    groups = ("Plant 7\\Pumps & Drives", "Plant 7\\Grid")

    def routes(self) -> Sequence[Route]:
        items = r"/Plant 7/_apis/wit/work[iI]tems/(\d+)"
        return [
            ("GET", r"/_apis/connectionData", self.who),
            ("POST", r"/Plant 7/_apis/wit/wiql", self.query),
            ("GET", items, lambda _, number: self.item(number)),
            ("PATCH", items, self.patched),
            ("GET", f"{items}/comments", self.listed),
            ("POST", f"{items}/comments", self.commented),
            ("PATCH", rf"{items}/comments/(\d+)", self.edited),
            ("DELETE", rf"{items}/comments/(\d+)", self.remove),
            ("GET", f"{items}/updates", self.updates),
        ]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        kind = next((kind for kind in VERSIONS if kind in request.url.path), "")
        assert request.url.params["api-version"] == VERSIONS.get(kind, "7.1")
        assert request.headers["authorization"] == "Basic OnRoZS10b2tlbg=="
        return super().__call__(request)

    def writes(self, request: httpx.Request) -> bool:
        return request.method != "GET" and not request.url.path.endswith("wiql")

    def who(self, _request: httpx.Request) -> Any:
        return {"authenticatedUser": {"id": str(BOT), "providerDisplayName": "Rolecall"}}

    def query(self, request: httpx.Request) -> Any:
        asked = re.fullmatch(WIQL, body(request)["query"])
        assert asked, body(request)
        assert request.url.params["timePrecision"] == "true"
        found = self.changed(asked[1])[: int(request.url.params["$top"])]
        return {
            "workItems": [{"id": ticket.id, "url": f"{self.url}/_apis/wit/workItems/{ticket.id}"} for ticket in found]
        }

    def item(self, number: str) -> Any:
        ticket = self.ticket(number)
        return self.gone() if ticket is None else self.shown(ticket)

    def shown(self, ticket: Ticket) -> Any:
        fields = {
            "System.Title": ticket.subject,
            "System.Description": f"<div>{ticket.body}</div>",
            "System.AreaPath": ticket.group,
            "System.State": "Closed" if ticket.closed else "New",
            "System.CreatedDate": iso(ticket.created),
            "System.ChangedDate": iso(ticket.updated),
            "System.CreatedBy": {"id": "17", "displayName": "Line 3"},
            "System.Tags": "; ".join(ticket.tags),
            "Microsoft.VSTS.Common.Priority": 2,
        }
        if ticket.closed:
            fields["Microsoft.VSTS.Common.ClosedDate"] = iso(ticket.closed)
        return {"id": ticket.id, "rev": 1, "fields": fields}

    def patched(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        assert request.headers["content-type"] == "application/json-patch+json"
        ((change,),) = [body(request)]
        if ticket is None:
            return self.gone()
        name, value = change["path"].removeprefix("/fields/System."), change["value"]
        if name == "AreaPath" and value not in self.groups:
            return httpx.Response(400, json={"message": "TF401347: Invalid tree name given for work item"})
        known = {"AreaPath": {"group": value}, "Title": {"subject": value}, "Tags": {"tags": str(value).split("; ")}}
        self.put(ticket, **known[name])
        return self.shown(ticket)

    def row(self, comment: Comment) -> Any:
        shown = {"id": comment.id, "text": comment.text, "createdBy": {"id": str(comment.author)}}
        return shown | {"createdDate": iso(comment.at)}

    def listed(self, request: httpx.Request, number: str) -> Any:
        ticket, start = self.ticket(number), int(request.url.params.get("continuationToken", "0"))
        if ticket is None:
            return self.gone()
        rows = [self.row(comment) for comment in ticket.comments]
        token = {"continuationToken": str(start + PAGE)} if start + PAGE < len(rows) else {}
        return {"totalCount": len(rows), "comments": rows[start : start + PAGE], **token}

    def commented(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        return self.gone() if ticket is None else self.row(self.say(ticket, body(request)["text"], BOT, internal=False))

    def edited(self, request: httpx.Request, _number: str, comment: str) -> Any:
        there = self.comment(comment)
        if there is None:
            return self.gone()
        there.text = body(request)["text"]
        return self.row(there)

    def updates(self, request: httpx.Request, number: str) -> Any:
        ticket, start = self.ticket(number), int(request.url.params.get("$skip", "0"))
        rows: list[Any] = [{"id": 1, "fields": {"System.Title": {"newValue": ticket.subject}}}] if ticket else []
        for at, before, after, by in ticket.moves if ticket else ():
            fields = {"System.AreaPath": {"oldValue": before, "newValue": after}}
            fields["System.ChangedDate"] = {"oldValue": "2026-01-01T00:00:00Z", "newValue": iso(at) or ""}
            rows.append({"id": len(rows) + 1, "revisedBy": {"id": str(by)}, "fields": fields})
        return {"value": rows[start : start + PAGE]}
