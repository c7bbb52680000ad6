"""Sessions: a random token in a cookie, its hash in the database, and the token of forms made from it.

A form's token is a keyed hash of the cookie's, so that only a page that this browser was shown can post (OWASP, Cross-
Site Request Forgery Prevention, "signed double-submit"). Before anybody is signed in a visitor's cookie stands in.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete

from agent.pages.signing.users import hashed
from agent.store.people import PageSession, User

GOOD_FOR = timedelta(days=7)
KNOWN_FOR = timedelta(days=365)
"""How long a browser counts as known to an account (agent.pages.signing.attempts)."""


def begin(session: Session, user_key: str, now: datetime) -> str:
    """Begin a session and return its token."""
    token = secrets.token_urlsafe(32)
    until = now + GOOD_FOR
    session.add(PageSession(token=hashed(token), user_key=user_key, created_at=now, expires_at=until))
    return token


def user_of(session: Session, token: str, now: datetime) -> User | None:
    """Return who is signed in with this token; None where it is unknown, expired, or the account is disabled."""
    found = session.get(PageSession, hashed(token))
    if found is None or found.expires_at <= now:
        return None
    user = session.get(User, found.user_key)
    return user if user is not None and user.disabled_at is None else None


def end(session: Session, token: str) -> None:
    """End one session."""
    session.execute(delete(PageSession).where(col(PageSession.token) == hashed(token)))


def form_token(token: str) -> str:
    """Return the token that forms carry while this cookie's token is in force."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"form", hashlib.sha256).hexdigest()


def from_our_form(token: str, presented: str) -> bool:
    """Return whether a posted form is one that this browser was shown."""
    expected = form_token(token).encode()
    return bool(token) and hmac.compare_digest(expected, presented.encode("utf-8", "surrogatepass"))


def known_browser(key: bytes, user_key: str, nonce: str | None = None) -> str:
    """Return the cookie by which a browser shows that this account has signed in there before.

    Source: OWASP, "Slow Down Online Guessing Attacks with Device Cookies".
    """
    nonce = nonce or secrets.token_hex(16)
    signed = hmac.new(key, f"browser:{user_key}:{nonce}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    return f"{nonce}.{signed}"


def is_known_browser(key: bytes, user_key: str, cookie: str) -> bool:
    """Return whether a browser's cookie shows that this account has signed in there before."""
    nonce, _, _ = cookie.partition(".")
    expected = known_browser(key, user_key, nonce) if nonce else ""
    return bool(nonce) and hmac.compare_digest(expected.encode(), cookie.encode("utf-8", "surrogatepass"))
