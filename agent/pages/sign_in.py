"""Sign in and out, choose a password by a one-time link, and make the first account."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlmodel import Session
from starlette.responses import Response

from agent.errors import BadInput
from agent.pages.guard import Visit, local, redirect, session_cookie, set_cookie, visit_cookie
from agent.pages.signing import attempts, audit, sessions, users
from agent.pages.signing.passwords import LEAST, acceptable
from agent.pages.site import Site
from agent.store.people import User

log = structlog.get_logger()


async def show(visit: Visit) -> Response:
    """Show the form; who is signed in already goes on."""
    onward = local(visit.request.query_params.get("next", ""), "/")
    if visit.user is not None:
        return redirect(onward)
    return form(visit, onward)


async def sign_in(visit: Visit) -> Response:
    """Compare name and password, and begin a session."""
    site, name, onward = visit.site, visit.field("name"), local(visit.field("next"), "/")
    user = await site.database.read(users.find, name)
    attempt = attempts.Attempt.of(site.key, name, _address(visit), _known_browser(visit, user))
    until = await site.database.write(attempts.begin, attempt, site.now())
    if until is not None:
        log.warning("sign_in_held_back")
        wrong = site.texts("sign_in.too_many", time=site.words.time(until))
        return form(visit, onward, 429, wrong)
    usable = user if user is not None and user.disabled_at is None else None
    right = await site.passwords.right(usable.password if usable else None, visit.field("password"))
    if usable is None or not right:
        return form(visit, onward, 403, site.texts("sign_in.wrong"))
    await site.database.write(attempts.succeeded, attempt)
    return await signed_in(site, usable, redirect(onward))


def form(visit: Visit, onward: str, status: int = 200, wrong: str | None = None) -> Response:
    """Return the page to sign in, with what was wrong."""
    settings = visit.site.settings.sign_in
    provider = (settings.title or settings.issuer) if settings.issuer else None
    return visit.page("sign_in.html", status, onward=onward, wrong=wrong, provider=provider)


async def sign_out(visit: Visit) -> Response:
    """End this browser's session."""
    if visit.user is not None:
        await visit.site.database.write(_end, visit.token, visit.user.name, visit.site.now())
    response = redirect("/sign-in")
    response.delete_cookie(session_cookie(visit.site), "/", secure=visit.site.secure, httponly=True, samesite="lax")
    return response


async def show_link(visit: Visit) -> Response:
    """Show the form behind a one-time link: GET changes nothing, so previews and scanners use up no link."""
    return await _link_form(visit, None)


async def use_link(visit: Visit) -> Response:
    """Use up a one-time link: keep the password that its owner chose, and begin a session."""
    site, token, password = visit.site, str(visit.request.path_params["token"]), visit.field("password")
    if not acceptable(password):
        return await _link_form(visit, str(site.texts("link.too_short", least=LEAST)))
    if password != visit.field("again"):
        return await _link_form(visit, str(site.texts("link.not_the_same")))
    if not await _good(visit):
        return visit.page("link_no_good.html", 404)
    kept = await site.passwords.hashed(password)
    try:
        user = await site.database.write(users.make_first, token, visit.field("name"), kept, site.now())
    except BadInput:
        return await _link_form(visit, str(site.texts("link.name", most=users.LONGEST_NAME)))
    user = user or await site.database.write(users.take_link, token, kept, site.now())
    return visit.page("link_no_good.html", 404) if user is None else await signed_in(site, user, redirect("/"))


async def _good(visit: Visit) -> bool:
    token, now = str(visit.request.path_params["token"]), visit.site.now()
    database = visit.site.database
    return await database.read(users.is_first, token, now) or await database.read(users.by_link, token, now) is not None


async def _link_form(visit: Visit, wrong: str | None) -> Response:
    token, now = str(visit.request.path_params["token"]), visit.site.now()
    if await visit.site.database.read(users.is_first, token, now):
        return visit.page("link.html", 422 if wrong else 200, owner=None, wrong=wrong, least=LEAST)
    user = await visit.site.database.read(users.by_link, token, now)
    if user is None:
        return visit.page("link_no_good.html", 404)
    return visit.page("link.html", 422 if wrong else 200, owner=user.name, wrong=wrong, least=LEAST)


async def signed_in(site: Site, user: User, response: Response) -> Response:
    """Begin a session of an account with a response."""
    token = await site.database.write(_begin, user, site)
    set_cookie(site, response, session_cookie(site), token, int(sessions.GOOD_FOR.total_seconds()))
    browser = sessions.known_browser(site.key, user.key)
    set_cookie(site, response, _browser_cookie(site), browser, int(sessions.KNOWN_FOR.total_seconds()))
    response.delete_cookie(visit_cookie(site), "/", secure=site.secure, httponly=True, samesite="lax")
    return response


def _begin(session: Session, user: User, site: Site) -> str:
    audit.note(session, user.name, audit.Action.SIGNED_IN, site.now())
    return sessions.begin(session, user.key, site.now())


def _end(session: Session, token: str, name: str, now: datetime) -> None:
    sessions.end(session, token)
    audit.note(session, name, audit.Action.SIGNED_OUT, now)


def _browser_cookie(site: Site) -> str:
    return session_cookie(site) + "-browser"


def _known_browser(visit: Visit, user: User | None) -> str | None:
    """Return the cookie of a browser in which this account has signed in before."""
    cookie = visit.request.cookies.get(_browser_cookie(visit.site), "")
    known = user is not None and sessions.is_known_browser(visit.site.key, user.key, cookie)
    return cookie if known else None


def _address(visit: Visit) -> str:
    client = visit.request.client
    return client.host if client else ""
