"""Every page and form: its address, the right that it needs, and who answers it. A test holds this to a table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from agent.pages import (
    account,
    bulk,
    editing,
    feedback,
    ladder,
    links,
    models,
    offers,
    provider,
    report,
    review,
    roles,
    rules,
    search,
    sign_in,
    status,
    summary,
    ticket,
    today,
    written,
)
from agent.pages.guard import Call, Handler, Visit, guarded
from agent.pages.signing.rights import Rights
from agent.pages.site import STATIC, Site
from agent.web.protection import WEBHOOKS

CALLS = (
    Call("GET", "/sign-in", None, sign_in.show),
    Call("POST", "/sign-in", None, sign_in.sign_in),
    Call("GET", "/sign-in/{token}", None, sign_in.show_link),
    Call("POST", "/sign-in/{token}", None, sign_in.use_link),
    Call("GET", "/oidc", None, provider.begin),
    Call("GET", "/oidc/back", None, provider.back),
    Call("POST", "/sign-out", None, sign_in.sign_out),
    Call("GET", "/l/{token}/{choice}", None, links.show),
    Call("POST", "/l/{token}", None, links.record),
    Call("GET", "/", Rights.VIEWER, today.today),
    Call("GET", "/tickets/{helpdesk}/{number:path}", Rights.VIEWER, ticket.show),
    Call("POST", "/tickets/{helpdesk}/{number:path}", Rights.REVIEWER, feedback.answer),
    Call("POST", "/notes/{helpdesk}/{number:path}", Rights.REVIEWER, written.answer),
    Call("POST", "/subjects/{helpdesk}/{number:path}", Rights.REVIEWER, offers.answer_subject),
    Call("POST", "/descriptions/{helpdesk}/{number:path}", Rights.REVIEWER, offers.answer_description),
    Call("GET", "/summaries/{helpdesk}/{number:path}", Rights.VIEWER, summary.show),
    Call("GET", "/review", Rights.REVIEWER, review.review),
    Call("POST", "/review", Rights.REVIEWER, review.answer),
    Call("GET", "/review/bulk", Rights.REVIEWER, bulk.show),
    Call("POST", "/review/bulk", Rights.REVIEWER, bulk.answer),
    Call("GET", "/search", Rights.VIEWER, search.find),
    Call("GET", "/report", Rights.VIEWER, report.latest),
    Call("POST", "/report", Rights.OPERATOR, report.export),
    Call("GET", "/report/{week}", Rights.VIEWER, report.show),
    Call("GET", "/roles", Rights.VIEWER, roles.show),
    Call("POST", "/roles", Rights.OPERATOR, ladder.change),
    Call("POST", "/roles/file", Rights.OPERATOR, editing.change_roles),
    Call("GET", "/rules", Rights.VIEWER, rules.show),
    Call("POST", "/rules", Rights.VIEWER, rules.try_),
    Call("POST", "/rules/file", Rights.OPERATOR, editing.change_rules),
    Call("GET", "/status", Rights.VIEWER, status.show),
    Call("POST", "/status", Rights.OPERATOR, status.change),
    Call("GET", "/models", Rights.VIEWER, models.show),
    Call("POST", "/models", Rights.OPERATOR, models.change),
    Call("GET", "/account", Rights.VIEWER, account.account),
    Call("POST", "/account", Rights.VIEWER, account.change_account),
    Call("GET", "/users", Rights.OPERATOR, account.everybody),
    Call("POST", "/users", Rights.OPERATOR, account.change_user),
    Call("GET", "/log", Rights.OPERATOR, account.show_log),
)

KEPT = "public, max-age=31536000, immutable"
"""How long browsers keep files: their addresses hold a hash of them."""


def routes(site: Site) -> list[Route]:
    """Return the routes of all pages, and of the files that they load."""
    return [
        Route("/static/{name}", _static(site), methods=["GET"]),
        *(Route(call.path, guarded(site, call), methods=[call.method]) for call in (*CALLS, *SLASHED)),
        _Elsewhere("/{page:path}", guarded(site, Call("GET", "/{page:path}", None, _nowhere)), methods=["GET"]),
    ]


class _Elsewhere(Route):
    """Stands for every address that nothing has, where a browser asks for a page; whoever else asks gets the status."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match what a person would see."""
        page = (
            scope["type"] == "http"
            and scope["method"] == "GET"
            and "text/html" in Headers(scope=scope).get("accept", "")
        )
        return super().matches(scope) if page and not scope["path"].startswith(WEBHOOKS) else (Match.NONE, {})


async def _nowhere(visit: Visit) -> Response:
    return visit.page("no_page.html", 404, page=None)


def _slashed(page: str) -> Handler:
    async def answer(visit: Visit) -> Response:
        return visit.page("no_page.html", 404, page=page)

    return answer


SLASHED = tuple(
    Call("GET", f"{call.path}/", None, _slashed(call.path))
    for call in CALLS
    if call.method == "GET" and (call.needs or call.path == "/sign-in") and call.path != "/" and "{" not in call.path
)
"""Addresses of pages as people type them, with a slash: no page, but one that links it, since nothing redirects."""


def _static(site: Site) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        name = str(request.path_params["name"])
        if name not in STATIC:
            return Response(status_code=404)
        return Response(site.static[name], media_type=STATIC[name], headers={"Cache-Control": KEPT})

    return answer
