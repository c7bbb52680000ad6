"""Sign in by a provider that the settings name (OpenID Connect): it says who somebody is, and we what they may.

    /oidc       → the provider, with a state, a nonce and a challenge (PKCE) that a signed cookie of ten minutes keeps
    /oidc/back  ← the provider, with a code: state, signature, issuer, audience, time and nonce have to be right

Whoever is known there still needs an account here, added by an operator under the name that the provider vouches for.
With the first sign-in the account belongs to that person for good: another one who gets the name later is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlmodel import Session, select
from starlette.requests import Request
from starlette.responses import Response

from agent.packages import require
from agent.pages.guard import Refused, Visit, local, session_cookie, set_cookie
from agent.pages.guard import redirect as to
from agent.pages.sign_in import form, signed_in
from agent.pages.signing import audit, users
from agent.pages.site import Site
from agent.store.people import User
from agent.web.running import local_url

GOOD_FOR = 600
"""Seconds between leaving for the provider and coming back."""

SECONDS = 10.0
SCOPE = "openid email profile"
SIGNATURES = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
"""Only what the provider alone can sign: with HS256 its signing key would be our secret."""

LONGEST = 300

log = structlog.get_logger()


async def begin(visit: Visit) -> Response:
    """Send the browser to the provider."""
    site, onward = visit.site, local(visit.request.query_params.get("next", ""), "/")
    request = Request({**visit.request.scope, "session": {}})
    try:
        client = await _client(site)
        response: Response = await client.authorize_redirect(request, _back(site))
    except _failures() as error:
        log.warning("provider_failed", error=type(error).__name__)
        site.kept.pop("provider", None)  # what it said of itself may be at fault: it is asked anew
        raise Refused(503, "provider_silent") from None
    kept = _signer(site).dumps({"session": request.session, "next": onward})
    set_cookie(site, response, _cookie(site), kept, GOOD_FOR)
    return response


async def back(visit: Visit) -> Response:
    """Take what the provider says of somebody, and begin a session if they have an account."""
    site, request = visit.site, visit.request
    try:
        kept = _signer(site).loads(request.cookies.get(_cookie(site), ""), max_age=GOOD_FOR)
    except BadData:
        raise Refused(400, "provider_ended") from None
    claims = await _claims(site, Request({**request.scope, "session": kept["session"]}))
    who, name = _person(site, claims)
    user = await site.database.write(_account, who, name, site) if who else None
    if user is None:
        log.warning("provider_account_unknown")
        wrong = site.texts("sign_in.no_account_here", name=name) if name else site.texts("sign_in.no_name")
        response = form(visit, "/", 403, wrong)
    else:
        response = await signed_in(site, user, to(local(str(kept["next"]), "/")))
    response.delete_cookie(_cookie(site), "/", secure=site.secure, httponly=True, samesite="lax")
    return response


async def _claims(site: Site, request: Request) -> Mapping[str, Any]:
    """Return what the provider vouches for. Raises Refused."""
    settings = site.settings.sign_in
    checked = {
        "iss": {"essential": True, "values": [settings.issuer, f"{settings.issuer}/"]},
        "aud": {"essential": True, "values": [settings.client_id]},
        "sub": {"essential": True},
        "exp": {"essential": True},
    }
    try:
        client = await _client(site)
        found = await client.authorize_access_token(request, claims_options=checked, leeway=60)
    except _failures() as error:
        log.warning("provider_refused", error=type(error).__name__)
        site.kept.pop("provider", None)
        raise Refused(403, "provider_refused") from None
    claims = found.get("userinfo")
    if not isinstance(claims, Mapping):
        log.warning("provider_refused", error="no id_token")
        raise Refused(403, "provider_refused")
    return claims


def _person(site: Site, claims: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return who it is for good, and the name of their account; None where the provider does not vouch for a name."""
    settings, subject = site.settings.sign_in, claims.get("sub")
    name = claims.get(settings.claim)
    if not isinstance(name, str) or not isinstance(subject, str) or not 0 < len(subject) <= LONGEST:
        return None, ""
    verified = claims.get("email_verified")
    if settings.claim == "email" and verified is not True and verified != "true":  # Cognito and Apple send a text
        return None, ""
    return users.hashed(f"{settings.issuer} {subject}"), name[:LONGEST]


def _account(session: Session, who: str, name: str, site: Site) -> User | None:
    """Return the account of a person, which is theirs from now on; None where there is none, or it is another's."""
    user = session.exec(select(User).where(User.subject == who)).first()
    if user is None:
        user = users.find(session, name)
        if user is None or user.subject is not None or user.disabled_at is not None:
            return None
        user.subject = who
        audit.note(session, user.name, audit.Action.PROVIDER, site.now())
    return user if user.disabled_at is None else None


async def _client(site: Site) -> Any:
    """Return what speaks with the provider, made once, with the signatures that count."""
    settings = site.settings.sign_in
    if settings.issuer is None or settings.client_secret is None:
        raise Refused(404, "no_provider")
    if "provider" not in site.kept:
        require("authlib")
        from authlib.integrations.starlette_client import OAuth

        site.kept["provider"] = OAuth().register(
            "rolecall",
            server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value(),
            client_kwargs={
                "scope": SCOPE, "code_challenge_method": "S256", "timeout": SECONDS, "trust_env": False,
                "follow_redirects": False,
            },
        )  # fmt: skip
    client = site.kept["provider"]
    known = await client.load_server_metadata()
    offered = known.get("id_token_signing_alg_values_supported") or ["RS256"]
    known["id_token_signing_alg_values_supported"] = [one for one in offered if one in SIGNATURES] or ["RS256"]
    return client


def _failures() -> tuple[type[Exception], ...]:
    """Return what is raised where the provider fails, lies, or answers what nobody expects."""
    require("authlib")
    import httpx2
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError

    unexpected = ValueError, KeyError, TypeError, AttributeError, RuntimeError
    return (AuthlibBaseError, JoseError, httpx2.HTTPError, httpx2.InvalidURL, *unexpected)


def _back(site: Site) -> str:
    server = site.settings.server
    return f"{server.public_url or local_url(server.host, server.port)}/oidc/back"


def _cookie(site: Site) -> str:
    return session_cookie(site) + "-provider"


def _signer(site: Site) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(site.key, salt="provider")
