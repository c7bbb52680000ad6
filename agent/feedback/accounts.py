"""Whose commands count: those of accounts that are known to be staff, never of a message without an author.

How staff are known is the connector's to declare (`StaffKnownBy`). Accounts whose commands were obeyed before that
mattered go on counting for a while, unless the operator names the staff.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import structlog
from sqlmodel import Session, col, select

from agent.store.database import Database
from agent.store.tables import Account
from agent.store.times import utcnow
from connectors.base import Connector, StaffKnownBy
from connectors.events import AuthorKind, Message

NOBODY = ""
"""The account of messages that name none."""

log = structlog.get_logger()


def counts(message: Message, connector: Connector, account: Account | None, now: datetime) -> bool:
    """Return whether the author is known to be staff. `account`: what is stored about the author."""
    if message.author_id is None:
        return False
    if connector.capabilities.staff_known_by is StaffKnownBy.MESSAGES:
        return message.author_kind is AuthorKind.STAFF
    if message.author_id in (connector.staff or ()) or (account is not None and account.assigned):
        return True
    return account is not None and in_grace(account, connector.staff, now)


def introduce(connector: Connector, database: Database) -> None:
    """Set who we are on a connector, and log which accounts count as staff only for a while."""
    for account in database.call(stored, connector.source):
        if account.ours:
            connector.learn_author(account.account_id)
    for account in database.call(ending, connector.source, connector.staff, utcnow()):
        log.warning(
            "account_counts_for_a_while",
            account=account.account_id,
            until=account.trusted_until,
            keep_by=f"connectors.{connector.source}.staff",
        )


def in_grace(account: Account, staff: Collection[str] | None, now: datetime) -> bool:
    """Return whether an account counts only because its commands were obeyed before an upgrade."""
    known = account.assigned or account.account_id in (staff or ())
    return not known and staff is None and account.trusted_until is not None and now < account.trusted_until


def ending(session: Session, source: str, staff: Collection[str] | None, now: datetime) -> list[Account]:
    """Return the accounts of a system that count only for a while, by their ids: the operator has to decide."""
    return [account for account in stored(session, source) if in_grace(account, staff, now)]


def find(session: Session, source: str, account_id: str | None) -> Account | None:
    """Return what is stored about an account."""
    return session.get(Account, (source, account_id or NOBODY))


def assign(session: Session, source: str, account_ids: Collection[str]) -> None:
    """Record that tickets were assigned to these accounts."""
    for account_id in account_ids:
        _row(session, source, account_id).assigned = True


def refuse(session: Session, source: str, account_id: str | None, event: int) -> bool:
    """Count a command that did not count; return False where this event's was counted before."""
    account = _row(session, source, account_id or NOBODY)
    if event <= account.last_event:
        return False
    account.refused, account.last_event = account.refused + 1, event
    return True


def learn_ours(session: Session, source: str, account_id: str) -> None:
    """Record the account that a comment of ours was stored for."""
    for account in session.exec(select(Account).where(Account.source == source, col(Account.ours))):
        account.ours = False
    _row(session, source, account_id).ours = True


def stored(session: Session, source: str) -> list[Account]:
    """Return all that is stored about the accounts of a system, in order of their ids."""
    return list(session.exec(select(Account).where(Account.source == source).order_by(Account.account_id)))


def _row(session: Session, source: str, account_id: str) -> Account:
    account = session.get(Account, (source, account_id))
    if account is None:
        account = Account(source=source, account_id=account_id)
        session.add(account)
    return account
