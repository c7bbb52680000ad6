"""Azure DevOps and OpenProject in memory: queries that yield ids, changes as JSON Patch; addresses in place of ids."""

from __future__ import annotations

import json
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
        shown = {"id": comment.id, "text": comment.text, "createdBy": {"id": str(comment.author), "displayName": "Zoe"}}
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


class OpenProject(Fake):
    """HAL: what belongs to a work package is an address, and a change has to name the version that it changes.

    Source: docs/api/apiv3 and modules/webhooks in github.com/opf/openproject.
    """

    url = "https://openproject.example.test"
    api = "/api/v3"
    settings: ClassVar[Mapping[str, Any]] = {"project": "plant-7"}
    groups = ("Pumps & Drives", "Grid")

    def routes(self) -> Sequence[Route]:
        package = r"/work_packages/(\d+)"
        return [
            ("GET", r"/users/me", lambda _: {"id": BOT, "login": "rolecall"}),
            ("GET", r"/projects/plant-7/work_packages", self.query),
            ("GET", r"/projects/plant-7/categories", self.categories),
            ("GET", package, lambda _, number: self.package(number)),
            ("PATCH", package, self.patched),
            ("GET", f"{package}/activities", self.activities),
            ("POST", f"{package}/activities", self.commented),
            ("PATCH", r"/activities/(\d+)", self.edited),
        ]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Basic YXBpa2V5OnRoZS1hcGlfa2V5"
        return super().__call__(request)

    def query(self, request: httpx.Request) -> Any:
        params = request.url.params
        assert json.loads(params["sortBy"]) == [["updatedAt", "asc"], ["id", "asc"]]
        ((wanted,),) = [json.loads(params["filters"])]
        assert wanted["updatedAt"]["operator"] == "<>d", "without a filter only what is open is listed"
        since, until = wanted["updatedAt"]["values"]
        assert until == ""
        start = (int(params["offset"]) - 1) * PAGE
        return {"_embedded": {"elements": [self.shown(t) for t in self.changed(since)[start : start + PAGE]]}}

    def categories(self, _request: httpx.Request) -> Any:
        rows = [{"name": g, "_links": {"self": {"href": f"/api/v3/categories/{i}"}}} for i, g in enumerate(self.groups)]
        return {"_embedded": {"elements": rows}}

    def package(self, number: str) -> Any:
        ticket = self.ticket(number)
        return self.gone() if ticket is None else self.shown(ticket)

    def shown(self, ticket: Ticket) -> Any:
        return {
            "id": ticket.id,
            "lockVersion": len(ticket.moves) + int((ticket.updated - ticket.created).total_seconds()),
            "subject": ticket.subject,
            "description": {"format": "markdown", "raw": ticket.body, "html": f"<p>{ticket.body}</p>"},
            "createdAt": iso(ticket.created),
            "updatedAt": iso(ticket.updated),
            "_links": {
                "status": {"href": "/api/v3/statuses/1", "title": "Closed" if ticket.closed else "New"},
                "category": {"href": "/api/v3/categories/1", "title": ticket.group},
                "author": {"href": "/api/v3/users/7", "title": "Line 3"},
                "assignee": {"href": None},
                "priority": {"href": "/api/v3/priorities/2", "title": "Normal"},
            },
        }

    def patched(self, request: httpx.Request, number: str) -> Any:
        ticket, wanted = self.ticket(number), body(request)
        if ticket is None:
            return self.gone()
        if wanted["lockVersion"] != self.shown(ticket)["lockVersion"]:
            return httpx.Response(409, json={"errorIdentifier": "urn:openproject-org:api:v3:errors:UpdateConflict"})
        category = wanted.get("_links", {}).get("category", {}).get("href")
        group = None if category is None else self.groups[int(category.rpartition("/")[2])]
        text = wanted.get("description", {}).get("raw")
        self.put(ticket, group=group, subject=wanted.get("subject"), body=text)
        return self.shown(ticket)

    def row(self, comment: Comment) -> Any:
        said = {"id": comment.id, "comment": {"format": "markdown", "raw": comment.text}, "internal": False}
        links = {"user": {"href": f"/api/v3/users/{comment.author}", "title": "Zoe"}}
        return {"_type": "Activity::Comment", **said, "createdAt": iso(comment.at), "_links": links}

    def activities(self, _request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        links = {"user": {"href": "/api/v3/users/7"}}
        filed = {
            "_type": "Activity",
            "id": 1,
            "comment": {"raw": ""},
            "createdAt": iso(ticket.created),
            "_links": links,
        }
        return {"_embedded": {"elements": [filed, *map(self.row, ticket.comments)]}}

    def commented(self, request: httpx.Request, number: str) -> Any:
        ticket = self.ticket(number)
        if ticket is None:
            return self.gone()
        comment = self.say(ticket, body(request)["comment"]["raw"], BOT, internal=False)
        return httpx.Response(201, json=self.row(comment))

    def edited(self, request: httpx.Request, number: str) -> Any:
        comment = self.comment(number)
        if comment is None:
            return self.gone()
        comment.text = body(request)["comment"]["raw"]
        return self.row(comment)
