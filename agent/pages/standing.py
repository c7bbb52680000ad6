"""Where tickets stand: what was suggested, what people said, and what became of the comment, for a few at a time.

Every query here reads by the keys of the tickets shown: the cost does not grow with the others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from agent.domain import Outcome, Reason, RoleCatalogue, Strength, Via
from agent.store.inbox import DEAD, OPEN_EVENTS
from agent.store.limits import newest
from agent.store.tables import Comment, Decision, Inbox, Review, Ticket
from agent.store.tickets import STANDING, counting_order
from agent.triage.cutoffs import CLOSE

ON_PAGES = (Via.PAGE, Via.CHECK, Via.LINK)
NOTHING_SPOKE = (Reason.UNTAUGHT, Reason.HARDLY_ANY_TEXT)
"""Why there is no suggestion where the confidences of all roles tell only how common each is."""

OF_A_KIND = 50
"""Reviews of a ticket that are of one strength and came in one way: of more, the latest are read."""

ANONYMOUS = "anonymous"
"""What a review that nobody signed is withdrawn by, from the beginning: it is shown, and never counts."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A ticket and all that its row on a page says.

    `review` is the one that counts, `answer` the last one in words; `asked` says that a reviewer could not tell,
    `checked` that somebody answered who had not seen what was suggested; `anonymous` is what somebody said by a link
    who was not signed in.
    """

    ticket: Ticket
    decision: Decision | None = None
    review: Review | None = None
    answer: Review | None = None
    asked: bool = False
    disputed: bool = False
    comment: Comment | None = None
    open_event: Inbox | None = None
    dead_event: Inbox | None = None
    checked: bool = False
    anonymous: Review | None = None

    @property
    def outcome(self) -> str:
        """What was suggested last: an Outcome; none before the first decision."""
        return self.decision.outcome if self.decision else Outcome.NONE

    @property
    def waiting(self) -> bool:
        """Whether nobody has said or shown the role, and the ticket is open."""
        return self.review is None and self.ticket.closed_at is None

    @property
    def corrected(self) -> bool:
        """Whether somebody named another role than the suggested one."""
        return self.review is not None and self.review.strength == Strength.CORRECTED

    @property
    def blind(self) -> bool:
        """Whether it is a random check that waits: who answers does not see what was suggested."""
        return self.ticket.drawn and self.decision is not None and not self.checked

    @property
    def seen(self) -> int:
        """The number of the answer that whoever looks at the page has seen; 0 for none."""
        return (self.answer.id or 0) if self.answer else 0

    def suggested(self, catalogue: RoleCatalogue) -> tuple[str, ...]:
        """Return the suggested roles by today's names."""
        return catalogue.today(self.decision.roles) if self.decision else ()

    def ranked(self, catalogue: RoleCatalogue) -> list[tuple[str, float]]:
        """Return roles and confidences of the last decision, the likeliest first, by today's names.

        None where nothing spoke for or against any: equal chances are no evidence.
        """
        heard = self.decision is not None and self.decision.reason not in NOTHING_SPOKE
        given: Mapping[str, float] = self.decision.detail.get("probabilities", {}) if self.decision and heard else {}
        found: dict[str, float] = {}
        for name, share in sorted(given.items(), key=lambda pair: -pair[1]):
            found.setdefault(catalogue.today((name,))[0], share)
        return [(name, share) for name, share in found.items() if name in catalogue.names]

    def alternative(self, catalogue: RoleCatalogue) -> tuple[str, float] | None:
        """Return the second role of an either-or, and its confidence; None where it is far behind."""
        ranked = self.ranked(catalogue)
        near = len(ranked) > 1 and ranked[1][1] >= CLOSE * ranked[0][1]
        return ranked[1] if near else None

    def is_(self, state: str) -> bool:
        """Return whether the ticket belongs behind a filter of Today."""
        match state:
            case "waiting":
                return self.waiting
            case "corrected":
                return self.corrected
            case "clear" | "either_or" | "none":
                return self.outcome == state
        return True


def standings(session: Session, tickets: Sequence[Ticket]) -> list[Standing]:
    """Return where these tickets stand, in their order."""
    keys = [ticket.key for ticket in tickets]
    latest = select(func.max(Decision.id)).where(col(Decision.ticket_key).in_(keys)).group_by(col(Decision.ticket_key))
    decisions = {row.ticket_key: row for row in session.exec(select(Decision).where(col(Decision.id).in_(latest)))}
    reviews: dict[str, list[Review]] = {}
    for review in _latest_of_a_kind(session, keys):
        reviews.setdefault(review.ticket_key, []).append(review)
    comments = {row.ticket_key: row for row in session.exec(select(Comment).where(col(Comment.ticket_key).in_(keys)))}
    opened = _events(session, func.min(Inbox.seq), keys, OPEN_EVENTS)  # the oldest: the others wait for it
    dead = _events(session, func.max(Inbox.seq), keys, DEAD)
    checks = select(Review.ticket_key).where(col(Review.ticket_key).in_(keys), Review.via == Via.CHECK)
    checked = set(session.exec(checks)) if any(ticket.drawn for ticket in tickets) else set()
    unsigned = select(Review).where(col(Review.ticket_key).in_(keys), Review.withdrawn == ANONYMOUS)
    anonymous = {row.ticket_key: row for row in session.exec(unsigned.order_by(col(Review.id)))}
    return [
        _standing(
            ticket, decisions.get(ticket.key), reviews.get(ticket.key, []), comments, opened, dead, checked, anonymous
        )
        for ticket in tickets
    ]


def _latest_of_a_kind(session: Session, keys: Sequence[str]) -> Sequence[Review]:
    """Return the standing reviews of tickets in the order in which they count, but for many earlier ones of a kind."""
    kind = (col(Review.ticket_key), col(Review.via), col(Review.strength))
    place = func.row_number().over(partition_by=kind, order_by=(col(Review.at).desc(), col(Review.id).desc()))
    given = select(col(Review.id), place.label("place")).where(col(Review.ticket_key).in_(keys), STANDING).subquery()
    latest = select(Review).join(given, given.c.id == Review.id).where(given.c.place <= OF_A_KIND)
    return session.exec(latest.order_by(*counting_order())).all()


def _events(session: Session, one: Any, keys: Sequence[str], state: ColumnElement[bool]) -> dict[str, Inbox]:
    """Return the oldest or latest event in a state of each ticket that has one: a loop may have made thousands."""
    theirs = select(one).where(col(Inbox.ticket_key).in_(keys), state).group_by(col(Inbox.ticket_key))
    return {row.ticket_key: row for row in session.exec(select(Inbox).where(col(Inbox.seq).in_(theirs)))}


def _standing(
    ticket: Ticket,
    decision: Decision | None,
    reviews: Sequence[Review],
    comments: Mapping[str, Comment],
    opened: Mapping[str, Inbox],
    dead: Mapping[str, Inbox],
    checked: Collection[str],
    anonymous: Mapping[str, Review],
) -> Standing:
    last = reviews[-1] if reviews else None
    words = [row for row in reviews if row.strength >= Strength.CONFIRMED and row.via != Via.IMPORT]
    return Standing(
        ticket,
        decision,
        last if last is not None and last.strength > Strength.REOPENED else None,
        max(words, key=lambda row: (row.at, row.id or 0), default=None),
        any(row.via in ON_PAGES for row in reviews),
        len({row.actor for row in words}) > 1 and len({tuple(sorted(row.roles)) for row in words}) > 1,
        comments.get(ticket.key),
        opened.get(ticket.key),
        dead.get(ticket.key),
        ticket.key in checked,
        anonymous.get(ticket.key),
    )


def of_ticket(session: Session, key: str) -> Standing | None:
    """Return where one ticket stands, None where it is not known."""
    ticket = session.get(Ticket, key)
    return standings(session, [ticket])[0] if ticket else None


def of_tickets(session: Session, keys: Sequence[str]) -> list[Standing]:
    """Return where these tickets stand, in the order of the keys."""
    found = {ticket.key: ticket for ticket in session.exec(select(Ticket).where(col(Ticket.key).in_(keys)))}
    return standings(session, [found[key] for key in keys if key in found])


def drawn(session: Session, limit: int) -> Sequence[Ticket]:
    """Return the latest tickets that were drawn as random checks."""
    return newest(session, limit, col(Ticket.drawn))


def filed_before(session: Session, limit: int, at: datetime | None = None, key: str = "") -> Sequence[Ticket]:
    """Return the latest tickets, newest first; those before a time and key, if they are given."""
    if at is None:
        return newest(session, limit)
    filed = col(Ticket.filed_at)
    return newest(session, limit, filed <= at, (filed < at) | (col(Ticket.key) < key))
