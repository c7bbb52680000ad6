"""Who may what: each call passes here before its handler. Forms are bounded, come from our own pages, and name a user.

GET   nobody signed in → the page to sign in; too few rights → 403, saying which are needed
POST  a form of another page, or none of ours → 403; nobody signed in → 403; too few rights → 403
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

import structlog
from sqlalchemy.exc import DataError, DBAPIError
from sqlmodel import Session
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from agent.pages.signing import sessions
from agent.pages.signing.rights import Rights, may
from agent.pages.site import Site
from agent.store import comments
from agent.store.database import why
from agent.store.limits import Limit, within
from agent.store.people import User
from agent.web.protection import declared_too_large

SIGN_IN = "/sign-in"
MOST_BYTES = 262_144
MOST_FIELDS = 400
BODY_SECONDS = 10.0
FORM = "application/x-www-form-urlencoded"
FORM_TOKEN = "form"  # noqa: S105 - the field's name
TYPED = ("subject", "text", "body", "description", "aliases")
"""Fields of the forms in which people write."""

log = structlog.get_logger()

P = ParamSpec("P")
T = TypeVar("T")


class Refused(Exception):
    """A request that is answered with an error page: `key` names its sentence."""

    typed: Sequence[str] = ()
    """What the person had typed, which the page shows again."""

    def __init__(self, status: int, key: str, **values: object) -> None:
        super().__init__(key)
        self.status, self.key, self.values = status, key, values


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that has passed: who it is from, and what the form says. `token` is the one of its cookie."""

    site: Site
    request: Request
    token: str
    user: User | None = None
    paused: str | None = None
    form: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def who(self) -> User:
        """Who is signed in; only for pages that need a right."""
        assert self.user is not None  # noqa: S101 - the guard has seen to it
        return self.user

    def may(self, needed: str) -> bool:
        """Return whether this person has a right."""
        return self.user is not None and may(self.user.rights, Rights(needed))

    @property
    def limit(self) -> Limit | None:
        """Which tickets this person sees; None: every one."""
        return None if self.user is None else Limit.of(self.user)

    async def read(self, query: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query that finds nothing of a ticket that this person does not see: all pages and programs read so."""
        return await self.site.database.read(within(self.limit, query), *args, **kwargs)

    def field(self, name: str) -> str:
        """Return a field of the form, "" where there is none."""
        return self.form.get(name, [""])[0]

    def page(self, template: str, status: int = 200, /, **values: Any) -> Response:
        """Return a page for this person."""
        form = sessions.form_token(self.token) if self.token else ""
        return self.site.page(template, status, visit=self, user=self.user, form_token=form, **values)

    def back(self, default: str) -> Response:
        """Send the browser to the page that the form names, if that is one of ours."""
        return redirect(local(self.field("back"), default))


Handler = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Call:
    """One page or form: its address, and the right that it needs; None is for anybody."""

    method: str
    path: str
    needs: Rights | None
    handler: Handler


def local(given: str, default: str) -> str:
    """Return an address if it leads to a page of this server, else the default: never to another server."""
    plain = given.isascii() and given.isprintable() and not set(given) & set('\\ "<>')
    parts = urlsplit(given) if plain and given.startswith("/") and not given.startswith("//") else None
    return given if parts is not None and not parts.scheme and not parts.netloc else default


def redirect(path: str) -> Response:
    """Send the browser to a path of this server, whatever its name is."""
    return RedirectResponse(path, 303)


def session_cookie(site: Site) -> str:
    """Return the name of the session's cookie: with https, one that only this host can set (RFC 6265bis)."""
    return "__Host-rolecall" if site.secure else "rolecall"


def visit_cookie(site: Site) -> str:
    """Return the name of the cookie that stands in for a session before anybody is signed in."""
    return session_cookie(site) + "-visit"


def set_cookie(site: Site, response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Set a cookie that no script can read and no other site can make a browser send with a form."""
    response.set_cookie(name, value, seconds, path="/", secure=site.secure, httponly=True, samesite="lax")


def guarded(site: Site, call: Call) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of a call."""

    async def endpoint(request: Request) -> Response:
        visit = Visit(site, request, "")
        try:
            visit = await _visit(site, request)
            return _below(site.prefix, await _answer(visit, call))
        except Refused as refused:
            sentence = site.texts(f"refused.{refused.key}", **refused.values)
            return visit.page("refused.html", refused.status, sentence=sentence, key=refused.key, typed=refused.typed)
        except DataError as error:  # such as a number that is too great for its column
            log.info("page_refused", error=why(error))
            return visit.page("refused.html", 400, sentence=site.texts("refused.malformed"), key="malformed", typed=())
        except DBAPIError as error:
            reference = secrets.token_hex(4)
            log.warning("page_failed", reference=reference, error=why(error))
            return site.page("fault.html", 503, reference=reference)

    return endpoint


def _below(prefix: str, response: Response) -> Response:
    """Return a response that sends the browser where it reaches our pages, if it sends it anywhere."""
    if (where := response.headers.get("location", "")).startswith("/"):
        response.headers["location"] = prefix + where
    return response


async def _visit(site: Site, request: Request) -> Visit:
    token = request.cookies.get(session_cookie(site), "")
    user, paused = await site.database.read(_who, token, site) if token else (None, None)
    if user is None:
        token = request.cookies.get(visit_cookie(site), "")
    return Visit(site, request, token, user, paused)


def _who(session: Session, token: str, site: Site) -> tuple[User | None, str | None]:
    """Return who is signed in, and why comments are paused: every page says so."""
    return sessions.user_of(session, token, site.now()), comments.paused(session)


async def _answer(visit: Visit, call: Call) -> Response:
    request, site = visit.request, visit.site
    if not request.scope["query_string"].isascii():
        raise Refused(400, "malformed")
    asked = [request.url.path, *(word for pair in request.query_params.multi_items() for word in pair)]
    if any("\0" in word for word in asked):
        raise Refused(400, "malformed")
    if call.method == "POST":
        form = await _form(request)
        if not sessions.from_our_form(visit.token, form.get(FORM_TOKEN, [""])[0]) or _from_elsewhere(request):
            refused = Refused(403, "ended" if visit.user is None else "foreign")
            refused.typed = (
                [text for name in TYPED for text in form.get(name, []) if text.strip()] if _ours(request) else []
            )
            raise refused
        visit = replace(visit, form=form)
    if call.needs is not None:
        if visit.user is None:
            if call.method == "POST":
                raise Refused(403, "ended")
            query = f"?{request.url.query}" if request.url.query else ""
            return redirect(f"{SIGN_IN}?next={quote(request.url.path + query, safe='')}")
        if not may(visit.user.rights, call.needs):
            rights = (str(site.texts(f"rights.{right}")) for right in (call.needs, visit.user.rights))
            raise Refused(403, "rights", **dict(zip(("needed", "yours"), rights, strict=True)))
        return await call.handler(visit)
    if visit.user is None and not visit.token:
        visit = replace(visit, token=secrets.token_urlsafe(32))
        response = await call.handler(visit)
        set_cookie(site, response, visit_cookie(site), visit.token)
        return response
    return await call.handler(visit)


def _ours(request: Request) -> bool:
    """Return whether the browser says that a page of this server made it post: no other site can say so for it."""
    return request.headers.get("sec-fetch-site") == "same-origin"


def _from_elsewhere(request: Request) -> bool:
    """Return whether the browser says that another site made it post."""
    return request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


async def _form(request: Request) -> dict[str, list[str]]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Refused(415, "malformed")
    if declared_too_large(request.headers, MOST_BYTES):
        raise Refused(413, "too_large")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > MOST_BYTES:
                    raise Refused(413, "too_large")
    except TimeoutError:
        raise Refused(408, "malformed") from None
    except ClientDisconnect:
        raise Refused(400, "malformed") from None
    try:
        form = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise Refused(400, "malformed") from None
    if any("\0" in value for name, values in form.items() for value in (name, *values)):
        raise Refused(400, "malformed")
    return form
