"""Whose word counts, and how much of it: commands of known staff, and no more labels of one person than teach.

How staff are known is the connector's to declare (`StaffKnownBy`); a message without an author never counts. Accounts
whose commands were obeyed before that mattered go on counting for a while, unless the operator names the staff.

Nobody fills the memory or a training alone. The tickets of one requester, and the closures by one account, in all and
in one role, are compared with what is usual for them: the median of their earlier days. On a day far above that, none
of them is learnt from. They are kept, and `rolecall check` names the day. What staff say in words goes on counting,
within the budget where one requester's tickets are a flood. A person whom the system does not name is unknown: they are
not one person.

    teaches = within_budget([given(example) for example in examples])     # in the order of their reviews
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import NamedTuple

import structlog
from sqlmodel import Session, col, select

from agent.domain import Example, Strength
from agent.store.coordination import utcnow
from agent.store.database import Database
from agent.store.tables import Account
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


TICKETS_A_DAY = 5
CLOSURES_A_DAY = 20
CLOSURES_IN_ONE_ROLE = 10
"""So many teach whatever is usual for the person."""

TIMES_USUAL = 3.0
FEWEST_DAYS = 3
"""Of a person who was there on fewer days before, it is not known what is usual."""

LATELY = timedelta(days=7)


class Given(NamedTuple):
    """Who stands behind a label, and when: None for a person that is not known."""

    requester: str | None
    filed_on: date
    reviewer: str | None
    reviewed_on: date
    roles: tuple[str, ...]
    strength: Strength


class Whose(NamedTuple):
    """Whose labels are counted: those of a requester, or of an account, there in all (None) or in one role."""

    requester: str | None = None
    account: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Flood:
    """A day on which somebody gave `labels`, more than `budget`; `rows` of them do not teach."""

    whose: Whose
    day: date
    labels: int
    budget: int
    rows: tuple[int, ...]

    @property
    def by(self) -> str:
        """Whether it is a requester's or an account's."""
        return "requester" if self.whose.requester is not None else "account"


def lately(found: Iterable[Flood], today: date) -> list[Flood]:
    """Return the floods of the last days, those that somebody should look at."""
    return [flood for flood in found if today - flood.day < LATELY]


def given(example: Example) -> Given:
    """Return who stands behind an example's label."""
    reviewed_at = example.reviewed_at or example.filed_at
    days = example.filed_at.date(), reviewed_at.date()
    return Given(example.requester, days[0], example.reviewer, days[1], example.roles, example.strength)


def within_budget(labels: Sequence[Given]) -> list[bool]:
    """Return which labels teach. `labels` are in the order of their reviews."""
    beyond = {row for flood in floods(labels) for row in flood.rows}
    return [row not in beyond for row in range(len(labels))]


def floods(labels: Sequence[Given]) -> list[Flood]:
    """Return the days on which somebody gave far more labels than usual: of requesters, then of accounts."""
    asked = [(row, Whose(one.requester), one.filed_on) for row, one in enumerate(labels) if one.requester is not None]
    found = [_but_words(flood, labels) for flood in _above_usual(asked, TICKETS_A_DAY)]
    gone = {row for flood in found for row in flood.rows}
    closed = [
        (row, one)
        for row, one in enumerate(labels)
        if one.reviewer is not None and one.strength < Strength.CONFIRMED and row not in gone
    ]
    by_account = [(row, Whose(account=one.reviewer), one.reviewed_on) for row, one in closed]
    by_role = [(row, Whose(None, one.reviewer, role), one.reviewed_on) for row, one in closed for role in one.roles]
    found += _above_usual(by_account, CLOSURES_A_DAY)
    found += _above_usual(by_role, CLOSURES_IN_ONE_ROLE)
    return found


def _above_usual(entries: Iterable[tuple[int, Whose, date]], least: int) -> Iterator[Flood]:
    """Yield the floods among labels, each given as its row, whose it is, and its day."""
    rows: dict[Whose, dict[date, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, whose, day in entries:
        rows[whose][day].append(row)
    for whose, days in rows.items():
        if max(map(len, days.values())) <= least:
            continue
        before: list[int] = []
        for day in sorted(days):
            here = days[day]
            budget = max(least, int(TIMES_USUAL * median(before))) if len(before) >= FEWEST_DAYS else least
            if len(here) > budget:
                yield Flood(whose, day, len(here), budget, tuple(here))
            before.append(len(here))


def _but_words(flood: Flood, labels: Sequence[Given]) -> Flood:
    """Return a requester's flood in which the latest words of staff go on teaching, as many as the budget."""
    words = [row for row in flood.rows if labels[row].strength >= Strength.CONFIRMED][-flood.budget :]
    return Flood(flood.whose, flood.day, flood.labels, flood.budget, tuple(sorted(set(flood.rows) - set(words))))
