"""Accounts: made with a one-time link, by which their owner chooses the password.

    token = database.call(users.add, "Kim", Rights.REVIEWER, "operator", utcnow())
    user = database.call(users.by_link, token, utcnow())    # None: no such link, or it is used or too old

So no password is ever typed by somebody else, nor stands in a shell's history.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlmodel import Session, col, delete, select

from agent.domain import fold
from agent.errors import BadInput
from agent.pages.signing import audit
from agent.pages.signing.rights import Rights
from agent.store import coordination
from agent.store.limits import Limit, spelled
from agent.store.people import FIRST_LINK, ApiToken, PageSession, User

LINK_GOOD_FOR = timedelta(days=7)
LONGEST_NAME = 60


class Limitation(NamedTuple):
    """An account whose limit was set, and those of its groups in which no ticket is."""

    user: User
    empty: Sequence[str]


def hashed(token: str) -> str:
    """Return the hash that is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def valid_name(name: str) -> str:
    """Return a name as it is kept. Raises BadInput where it has no letter, is too long or holds control characters."""
    kept = " ".join(unicodedata.normalize("NFKC", name).split())
    if not kept.isprintable() or len(kept) > LONGEST_NAME or not any(map(str.isalnum, kept)):
        raise BadInput(f"a name has letters or digits, no control characters, and at most {LONGEST_NAME} characters")
    return kept


def key_of(name: str) -> str:
    """Return the form in which names are compared."""
    return fold(unicodedata.normalize("NFKC", name))


def find(session: Session, name: str) -> User | None:
    """Return the account of this name, whatever its case and spacing."""
    return session.get(User, key_of(name))


def known(session: Session, name: str) -> User:
    """Return the account of this name. Raises BadInput where there is none."""
    if (user := find(session, name)) is None:
        raise BadInput(f"there is no account {name}: `rolecall users list` shows them, `rolecall users add` makes one")
    return user


def listed(session: Session) -> Sequence[User]:
    """Return all accounts, in order of their names."""
    return session.exec(select(User).order_by(User.key)).all()


def add(session: Session, name: str, rights: Rights, by: str, now: datetime) -> str:
    """Make an account; return the token of its one-time link. Raises BadInput where the name is taken."""
    name = valid_name(name)
    if find(session, name) is not None:
        raise BadInput(f"there is an account {name} already: `rolecall users reset` makes it a new link")
    user = User(key=key_of(name), name=name, rights=rights, created_at=now)
    session.add(user)
    audit.note(session, by, audit.Action.USER_ADDED, now, user=name, rights=rights.value)
    return _link(user, now)


def reset(session: Session, name: str, by: str, now: datetime) -> str:
    """Take away the password, end all sessions and tokens, and return the token of a new one-time link."""
    user = known(session, name)
    user.password, user.disabled_at, user.subject = None, None, None
    end_access(session, user)
    audit.note(session, by, audit.Action.USER_RESET, now, user=user.name)
    return _link(user, now)


def disable(session: Session, name: str, by: str, now: datetime) -> None:
    """Keep everybody from signing in with this account, from this moment on. What it has reviewed stays."""
    user = known(session, name)
    user.disabled_at, user.link = user.disabled_at or now, None
    end_access(session, user)
    audit.note(session, by, audit.Action.USER_DISABLED, now, user=user.name)


def change_rights(session: Session, name: str, rights: Rights, by: str, now: datetime) -> None:
    """Give an account other rights, from its next request on."""
    user = known(session, name)
    if rights is Rights.OPERATOR and Limit.of(user) is not None:
        raise BadInput(
            f"{user.name} sees some tickets only, and an operator runs all: `rolecall users limit --all` first"
        )
    before, user.rights = user.rights, rights
    audit.note(session, by, audit.Action.RIGHTS, now, user=user.name, before=before, rights=rights.value)


def limit(
    session: Session, name: str, helpdesks: Sequence[str], groups: Sequence[str], by: str, now: datetime
) -> Limitation:
    """Limit an account to the tickets of these helpdesks and groups, from its next request on; of none: not at all.

    Return it with the groups in which no ticket is. Raises BadInput for an operator, who could take the limit away.
    """
    user = known(session, name)
    if user.rights == Rights.OPERATOR and (helpdesks or groups):
        raise BadInput(f"{user.name} is an operator, who runs all: `rolecall users rights` first, then the limit")
    groups, empty = spelled(session, groups)
    user.helpdesks, user.groups = list(dict.fromkeys(helpdesks)), groups
    audit.note(session, by, audit.Action.LIMITED, now, user=user.name, helpdesks=user.helpdesks, groups=user.groups)
    return Limitation(user, empty)


def by_link(session: Session, token: str, now: datetime) -> User | None:
    """Return whose one-time link this is; None where it is nobody's, used or too old."""
    user = session.exec(select(User).where(User.link == hashed(token))).first()
    return user if user and user.link_until and now < user.link_until and user.disabled_at is None else None


def take_link(session: Session, token: str, password: str, now: datetime) -> User | None:
    """Use up a one-time link: set the hash of the password that its owner chose. None where the link is no good."""
    user = by_link(session, token, now)
    if user is not None:
        user.password, user.link, user.link_until = password, None, None
        end_sessions(session, user)
        audit.note(session, user.name, audit.Action.PASSWORD, now)
    return user


def change_password(session: Session, key: str, password: str, keep: str, now: datetime) -> None:
    """Set the hash of a new password, and end all sessions of the account but the one with the token hash `keep`."""
    user = session.get_one(User, key)
    user.password = password
    session.execute(delete(PageSession).where(col(PageSession.user_key) == key, col(PageSession.token) != keep))
    audit.note(session, user.name, audit.Action.PASSWORD, now)


def switch_keys(session: Session, key: str, on: bool) -> None:
    """Switch single keys on or off for an account."""
    session.get_one(User, key).keys = on


def end_sessions(session: Session, user: User) -> None:
    """End all sessions of an account."""
    session.execute(delete(PageSession).where(col(PageSession.user_key) == user.key))


def end_access(session: Session, user: User) -> None:
    """End all sessions and tokens of an account."""
    end_sessions(session, user)
    session.execute(delete(ApiToken).where(col(ApiToken.user_key) == user.key))


def offer_first(session: Session, now: datetime) -> str | None:
    """Return the token of a one-time link for the first account, in place of earlier ones; None where there is one."""
    if session.exec(select(User.key).limit(1)).first() is not None:
        coordination.put(session, FIRST_LINK, None)
        return None
    token = secrets.token_urlsafe(32)
    coordination.put(session, FIRST_LINK, f"{hashed(token)} {(now + LINK_GOOD_FOR).isoformat()}")
    return token


def is_first(session: Session, token: str, now: datetime) -> bool:
    """Return whether this is the link for the first account, still good, and there is no account yet."""
    kept, _, until = (coordination.value(session, FIRST_LINK) or "").partition(" ")
    good = bool(until) and secrets.compare_digest(kept, hashed(token)) and now < datetime.fromisoformat(until)
    return good and session.exec(select(User.key).limit(1)).first() is None


def make_first(session: Session, token: str, name: str, password: str, now: datetime) -> User | None:
    """Make the first account, an operator, with the hash of its password; None where the link is no good."""
    if not is_first(session, token, now):
        return None
    name = valid_name(name)
    user = User(key=key_of(name), name=name, rights=Rights.OPERATOR, password=password, created_at=now)
    session.add(user)
    coordination.put(session, FIRST_LINK, None)
    audit.note(session, name, audit.Action.USER_ADDED, now, user=name, rights=Rights.OPERATOR.value)
    return user


def _link(user: User, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    user.link, user.link_until = hashed(token), now + LINK_GOOD_FOR
    return token
