"""The link that stands in the comment on each ticket: made once a suggestion, so that no comment changes by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from agent.store.people import FeedbackLink

GOOD_FOR = timedelta(days=14)


def keep(session: Session, key: str, choices: Sequence[Sequence[str]], make: Callable[[], str], now: datetime) -> str:
    """Return the token of the ticket's link: the one that is there, if it offers the same and is still good."""
    offered = [list(roles) for roles in choices]
    link = session.get(FeedbackLink, key)
    if link is not None and link.choices == offered and now < link.made_at + GOOD_FOR:
        return link.token
    made = FeedbackLink(ticket_key=key, token=make(), choices=offered, made_at=now)
    session.merge(made)
    return made.token


def find(session: Session, key: str, token: str) -> FeedbackLink | None:
    """Return the ticket's link if it has this token; None where another suggestion was made since."""
    link = session.get(FeedbackLink, key)
    return link if link is not None and link.token == token else None
