"""The log of who changed what, written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlmodel import Session, col, select

from agent.store.people import Audit

T = TypeVar("T")


class Action(StrEnum):
    """What can be changed."""

    USER_ADDED = "user_added"
    USER_RESET = "user_reset"
    USER_DISABLED = "user_disabled"
    RIGHTS = "rights"
    LIMITED = "limited"
    PASSWORD = "password"  # noqa: S105 - the word
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    FEEDBACK = "feedback"
    UNDO = "undo"
    UNCLEAR = "unclear"
    NOTE = "note"
    SUBJECT = "subject"
    DESCRIPTION = "description"
    PAUSED = "paused"
    RESUMED = "resumed"
    RETRIED = "retried"
    DROPPED = "dropped"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    TRAINING = "training"
    BULK = "bulk"
    EXPORTED = "exported"
    STAGE = "stage"
    RULE_APPROVED = "rule_approved"
    RULES_RESTORED = "rules_restored"
    ROLE_EDITED = "role_edited"
    ROLES_RESTORED = "roles_restored"
    ANONYMOUS = "anonymous"
    PROVIDER = "provider"
    TOKEN_MADE = "token_made"  # noqa: S105 - the word
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - likewise


def note(session: Session, who: str, action: Action, at: datetime, ticket_key: str = "", **detail: Any) -> None:
    """Write one line."""
    session.add(Audit(at=at, who=who, action=action, ticket_key=ticket_key, detail=detail))


def noted(session: Session, change: Callable[[Session], T], who: str, action: Action, at: datetime, **detail: Any) -> T:
    """Make a change and write its line, both or neither; no line where the change returns False."""
    made = change(session)
    if made is not False:
        note(session, who, action, at, **detail)
    return made


def latest(session: Session, limit: int, before: int | None = None) -> Sequence[Audit]:
    """Return the latest lines, newest first; those before a number, if it is given."""
    lines = select(Audit).order_by(col(Audit.id).desc()).limit(limit)
    return session.exec(lines if before is None else lines.where(col(Audit.id) < before)).all()
