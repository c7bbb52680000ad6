"""API tokens: by one, a program acts for an account, with its rights of that moment, until it expires or is revoked.

A token is shown once; kept is its hash. Its beginning tells those who search for lost secrets what it is.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from agent.errors import BadInput
from agent.pages.signing import audit
from agent.pages.signing.users import hashed, known, valid_name
from agent.store.people import ApiToken, User

BEGINNING = "rolecall_"
DAYS, MOST_DAYS = 90, 365
MOST_OF_ONE = 20
"""Tokens of one account at a time."""

USED_EVERY = timedelta(hours=1)
"""How exactly it is kept when a token was used last: not every call is to write."""


def make(session: Session, name: str, label: str, days: int, by: str, now: datetime) -> str:
    """Make a token for an account, and return it. Raises BadInput for no such account, or where too much is asked."""
    user = known(session, name)
    if user.disabled_at is not None:
        raise BadInput(f"{user.name} is disabled: `rolecall users reset` enables the account")
    if not 1 <= days <= MOST_DAYS:
        raise BadInput(f"a token is good for 1 to {MOST_DAYS} days")
    label = valid_name(label)
    theirs = select(func.count()).select_from(ApiToken).where(ApiToken.user_key == user.key)
    if session.exec(theirs).one() >= MOST_OF_ONE:
        raise BadInput(f"{user.name} has {MOST_OF_ONE} tokens already: `rolecall users revoke` ends one")
    token = BEGINNING + secrets.token_urlsafe(32)
    until = now + timedelta(days=days)
    session.add(ApiToken(token=hashed(token), user_key=user.key, name=label, created_at=now, expires_at=until))
    audit.note(session, by, audit.Action.TOKEN_MADE, now, user=user.name, token=label, days=days)
    return token


def owner(session: Session, token: str, now: datetime) -> User | None:
    """Return for whom a token acts; None where it is unknown, expired or revoked, or the account is disabled."""
    found = _of(session, token)
    if found is None or found.expires_at <= now:
        return None
    user = session.get(User, found.user_key)
    return user if user is not None and user.disabled_at is None else None


def due(session: Session, token: str, now: datetime) -> bool:
    """Return whether it is worth a write that the token was used now."""
    found = _of(session, token)
    return found is not None and (found.used_at is None or found.used_at < now - USED_EVERY)


def used(session: Session, token: str, now: datetime) -> None:
    """Keep when a token was used last."""
    if (found := _of(session, token)) is not None:
        found.used_at = now


def listed(session: Session, user_key: str | None = None) -> Sequence[ApiToken]:
    """Return the tokens of one account, or of all, the newest first."""
    rows = select(ApiToken).order_by(col(ApiToken.id).desc())
    return session.exec(rows if user_key is None else rows.where(ApiToken.user_key == user_key)).all()


def revoke(session: Session, number: int, by: str, now: datetime, user_key: str | None = None) -> ApiToken | None:
    """End a token, of one account if it is given; return it, None where there is no such one."""
    found = session.get(ApiToken, number)
    if found is None or user_key not in (None, found.user_key):
        return None
    session.delete(found)
    audit.note(session, by, audit.Action.TOKEN_REVOKED, now, user=found.user_key, token=found.name)
    return found


def _of(session: Session, token: str) -> ApiToken | None:
    return session.exec(select(ApiToken).where(ApiToken.token == hashed(token))).first()
