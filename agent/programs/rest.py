"""Assemble the calls below /api: their addresses are those of the pages, so that a page's data is found beside it.

| answer | when |
|---|---|
| 401 | no token of an account, or none in force |
| 403 | the account has too few rights, or the feedback is somebody else's |
| 404 | there is no such ticket or week |
| 409 | somebody else was faster, there is nothing to take back, or a random check waits |
| 400, 408, 413, 422 | the request is not the documented one |
| 503 | the database or the helpdesk does not answer now |

`/v1` is another API: of text classifiers, with a key of its own, for programs that know no tickets.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import Depends, FastAPI, Security
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from sqlalchemy.exc import DataError, DBAPIError
from starlette.requests import Request
from starlette.responses import Response

from agent.model_api.web import bodies
from agent.model_api.web.access import refusal
from agent.model_api.web.app import invalid, unavailable
from agent.model_api.web.responses import refusals
from agent.pages.feedback import Overtaken
from agent.pages.guard import Refused
from agent.pages.report import MEDIA
from agent.pages.signing.rights import Rights
from agent.pages.site import Site
from agent.programs import figures, reviews, tickets
from agent.programs.access import SCHEMA, Access, ProgramsRoute, needs

TICKET = "{helpdesk}/{number:path}"
NAMED = {"helpdesk": "Name of the helpdesk in the settings.", "number": "Number of the ticket there."}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
FILE: dict[int | str, dict[str, Any]] = {200: {"content": dict.fromkeys(MEDIA.values(), _BINARY)}}
DESCRIPTION = """
Read the tickets of a support desk with what Rolecall suggests and why, and give feedback. A token of an account
(*Account*, or `rolecall users token`) is sent as `Authorization: Bearer TOKEN`; it has the rights of the account.
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its address, the right that it needs, who answers it, and with which statuses it may be refused."""

    method: str
    path: str
    needs: Rights
    handler: Callable[..., Coroutine[Any, Any, Any]]
    refused: tuple[int, ...] = ()
    body: Any = None


CALLS = (
    Call("GET", "/api/account", Rights.VIEWER, figures.account),
    Call("GET", "/api/roles", Rights.VIEWER, figures.roles),
    Call("GET", "/api/tickets", Rights.VIEWER, tickets.listed, (422,)),
    Call("GET", f"/api/tickets/{TICKET}", Rights.VIEWER, tickets.one, (404,)),
    Call("GET", f"/api/explanations/{TICKET}", Rights.VIEWER, tickets.explained, (404, 409)),
    Call("GET", f"/api/summaries/{TICKET}", Rights.VIEWER, tickets.summed_up, (404,)),
    Call("POST", "/api/suggestions", Rights.VIEWER, tickets.suggested, (422,), tickets.Described),
    Call("POST", f"/api/reviews/{TICKET}", Rights.REVIEWER, reviews.record, (404, 409, 422), reviews.Feedback),
    Call("DELETE", f"/api/reviews/{TICKET}", Rights.REVIEWER, reviews.take_away, (404, 409, 422)),
    Call("GET", "/api/decisions", Rights.VIEWER, figures.decisions, (422,)),
    Call("GET", f"/api/decisions/{TICKET}", Rights.VIEWER, figures.decisions_of, (422,)),
    Call("GET", "/api/reports/{week}", Rights.VIEWER, figures.report, (404, 422)),
    Call("GET", "/api/export", Rights.OPERATOR, figures.export),
)


def programs(site: Site) -> ProgramsRoute:
    """Return the route of all calls."""
    return ProgramsRoute(partial(_application, site))


def _application(site: Site) -> FastAPI:
    api = FastAPI(
        title="Rolecall",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=SCHEMA,
        redirect_slashes=False,
        servers=[{"url": ".."}],  # beside this description, whatever path a proxy has put before
        generate_unique_id_function=_name,
        # Access has checked the token; this describes it in the documentation
        dependencies=[Security(HTTPBearer(auto_error=False))],
        responses=refusals(400, 401, 403, 503),
    )
    api.add_middleware(Access, site=site)
    for call in CALLS:
        api.add_api_route(
            call.path,
            call.handler,
            methods=[call.method],
            dependencies=[Depends(needs(call.needs))],
            responses=refusals(*call.refused) | (FILE if call.handler is figures.export else {}),
            openapi_extra=_described(call),
            summary=f"Needs the right {call.needs.value}.",
        )
    api.add_exception_handler(Refused, _refused(site))
    api.add_exception_handler(Overtaken, _overtaken(site))
    api.add_exception_handler(RequestValidationError, invalid)
    api.add_exception_handler(DBAPIError, unavailable)
    api.add_exception_handler(DataError, _out_of_range(site))
    return api


def _described(call: Call) -> dict[str, Any]:
    """Return what a call's signature does not say: the ticket in its address, and its body."""
    named = [
        {"name": name, "in": "path", "required": True, "description": what, "schema": {"type": "string"}}
        for name, what in NAMED.items()
        if call.path.endswith(TICKET)
    ]
    return {"parameters": named} | (bodies.documented(call.body) if call.body else {})


def _name(route: APIRoute) -> str:
    return route.name


def _refused(site: Site) -> Callable[[Request, Exception], Response]:
    def respond(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)  # noqa: S101 - it is registered for nothing else
        sentence = site.texts(f"refused.{error.key}", **error.values)
        return refusal(error.status, sentence.striptags())

    return respond


def _out_of_range(site: Site) -> Callable[[Request, Exception], Response]:
    """Refuse what the database takes for no value of its column, such as a number that is too great."""

    def respond(_request: Request, _error: Exception) -> Response:
        return refusal(400, site.texts("refused.malformed").striptags())

    return respond


def _overtaken(site: Site) -> Callable[[Request, Exception], Response]:
    def respond(_request: Request, error: Exception) -> Response:
        answer = error.answer if isinstance(error, Overtaken) else None
        roles = ", ".join(site.classifier.catalogue.today(answer.roles)) if answer else ""
        return refusal(
            409,
            f"{answer.actor if answer else ''} chose {roles or 'none of ours'} meanwhile: read the ticket again, and "
            "send its `seen` to change that",
        )

    return respond
