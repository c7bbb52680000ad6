"""Bound how often passwords can be guessed, without letting a stranger lock staff out.

An attempt comes from a place: a browser in which the account has signed in before, or else an address. Each place has a
few attempts at an account; all places that are not known browsers share a larger number, and so do all accounts tried
from one address. A stranger who uses up what is shared keeps nobody out whose browser is known.

Names that were typed are kept as pseudonyms only: sometimes they are passwords.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from agent.domain import pseudonym
from agent.pages.signing.users import key_of
from agent.store.people import FailedSignIn

WINDOW = timedelta(minutes=15)
HERE, SHARED, ADDRESS = 5, 20, 40
"""Failures in the window: at an account from one place, at an account from all unknown places, from one address."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at an account from a place, both as pseudonyms; `known`: in a known browser."""

    account: str
    place: str
    known: bool

    @classmethod
    def of(cls, key: bytes, name: str, address: str, browser: str | None) -> Attempt:
        """Return the attempt at the account `name`; `browser` is a known one's cookie."""
        place = pseudonym(key, "place", address if browser is None else browser)
        return cls(pseudonym(key, "account", key_of(name)), place, browser is not None)


def begin(session: Session, attempt: Attempt, now: datetime) -> datetime | None:
    """Count an attempt as failed until it succeeds; return when the next one is allowed where there were too many.

    Counted before the password is looked at: attempts made at the same time are no way around the limit.
    """
    until = max((at for at in _blocked(session, attempt, now) if at is not None), default=None)
    if until is None:
        session.add(FailedSignIn(at=now, account=attempt.account, place=attempt.place, known=attempt.known))
    return until


def succeeded(session: Session, attempt: Attempt) -> None:
    """Forget the failures of an account's owner at this place."""
    theirs = col(FailedSignIn.account) == attempt.account, col(FailedSignIn.place) == attempt.place
    session.execute(delete(FailedSignIn).where(*theirs))


def _blocked(session: Session, attempt: Attempt, now: datetime) -> Iterator[datetime | None]:
    account, place = col(FailedSignIn.account) == attempt.account, col(FailedSignIn.place) == attempt.place
    yield _full(session, HERE, now, account, place)
    if not attempt.known:
        yield _full(session, SHARED, now, account, col(FailedSignIn.known).is_(False))
        yield _full(session, ADDRESS, now, place)


def _full(session: Session, most: int, now: datetime, *which: object) -> datetime | None:
    """Return when one of these failures leaves the window; None where there are fewer than `most`."""
    recent = select(FailedSignIn.at).where(*which, FailedSignIn.at > now - WINDOW)  # type: ignore[arg-type]
    times = session.exec(recent.order_by(col(FailedSignIn.at).desc()).limit(most)).all()
    return times[-1] + WINDOW if len(times) == most else None
