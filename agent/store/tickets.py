"""Tickets as filed, the decisions on them, what people said, and embeddings: float32 bytes, by their encoder."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, insert, or_
from sqlmodel import Session, col, delete, select
from sqlmodel.sql.expression import SelectOfScalar

from agent.domain import Example, RoleCatalogue, Strength, Via
from agent.store import search
from agent.store.tables import Decision, Embedding, Forgotten, Review, Ticket

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK = 500
"""Keys per query: SQLite takes a limited number of parameters."""

STANDING = col(Review.withdrawn).is_(None)
"""Reviews that were not taken back."""


class ReviewRow(NamedTuple):
    """What reviews are ordered by: the time at which it was given, its number, its ticket."""

    at: datetime
    number: int
    ticket_key: str


def file(session: Session, ticket: Ticket) -> Ticket:
    """Store the ticket as filed, unless it is known already, and return the stored one."""
    known = session.get(Ticket, ticket.key)
    if known is None:
        search.add(session, ticket)
    return known or ticket


def group(session: Session, key: str) -> str | None:
    """Return the group that a ticket was filed in, None where that is not known."""
    return session.exec(select(Ticket.group).where(Ticket.key == key)).first()


def close(session: Session, key: str, at: datetime) -> None:
    """Record when the ticket was last closed."""
    ticket = session.get(Ticket, key)
    if ticket is not None:
        ticket.closed_at = at


def reopen(session: Session, key: str) -> None:
    """Record that the ticket is open."""
    ticket = session.get(Ticket, key)
    if ticket is not None:
        ticket.closed_at = None


def record(session: Session, decision: Decision) -> bool:
    """Write a decision to the ledger; return False where there is one for the same event, model and rules."""
    last = last_decision(session, decision.ticket_key)
    same = ("event_seq", "model_version", "rules_version")
    if last is not None and all(getattr(last, name) == getattr(decision, name) for name in same):
        return False
    session.add(decision)
    return True


def last_decision(session: Session, key: str) -> Decision | None:
    """Return the newest decision on the ticket."""
    return next(iter(latest_decisions(session, 1, key)), None)


def first_decisions(session: Session, keys: Sequence[str]) -> dict[str, Decision]:
    """Return the first decision on each of these tickets that has one, by its key."""
    found: dict[str, Decision] = {}
    for start in range(0, len(keys), CHUNK):
        wanted = col(Decision.ticket_key).in_(keys[start : start + CHUNK])
        for row in session.exec(select(Decision).where(wanted).order_by(col(Decision.id))):
            found.setdefault(row.ticket_key, row)
    return found


def latest_decisions(session: Session, limit: int, key: str | None = None) -> Sequence[Decision]:
    """Return the latest decisions, on one ticket if its key is given, newest first."""
    chosen = select(Decision) if key is None else select(Decision).where(Decision.ticket_key == key)
    return session.exec(chosen.order_by(col(Decision.id).desc()).limit(limit)).all()


def review(session: Session, new: Review) -> bool:
    """Store a review; return False where one from the same occasion is stored already."""
    if session.exec(same_occasion(new)).first() is not None:
        return False
    session.add(new)
    return True


def same_occasion(review: Review) -> SelectOfScalar[Review]:
    """Select the review from the same occasion, if there is one."""
    return select(Review).where(Review.ticket_key == review.ticket_key, Review.origin == review.origin)


def imported(session: Session, keys: Sequence[str]) -> dict[str, list[Review]]:
    """Return, by the keys of a few tickets that are stored, their reviews that were imported, the latest last."""
    found: dict[str, list[Review]] = {
        key: [] for key in session.exec(select(Ticket.key).where(col(Ticket.key).in_(keys)))
    }
    reviews = select(Review).where(col(Review.ticket_key).in_(keys), Review.via == Via.IMPORT)
    for row in session.exec(reviews.order_by(col(Review.id))):
        found.setdefault(row.ticket_key, []).append(row)
    return found


def standing(session: Session, keys: Sequence[str]) -> Sequence[Review]:
    """Return the reviews of a few tickets that were not taken back."""
    return session.exec(select(Review).where(col(Review.ticket_key).in_(keys), STANDING)).all()


def counting_order() -> tuple[Any, ...]:
    """Order reviews so that the last one of a ticket counts: words beat moves, moves beat closures, the newest wins.

    A reopening beats the closures before it; where it counts, the ticket has no label.
    """
    return (
        *(col(Review.strength) >= least for least in (Strength.CONFIRMED, Strength.MOVED)),
        col(Review.at),
        col(Review.id),
    )


def review_that_counts(session: Session, key: str) -> Review | None:
    """Return the review that counts for the ticket, None where it has no label. It names no role for none of ours."""
    standing = select(Review).where(Review.ticket_key == key, STANDING)
    reviews = session.exec(standing.order_by(*counting_order())).all()
    return reviews[-1] if reviews and reviews[-1].strength > Strength.REOPENED else None


def reviewed(session: Session, roles: RoleCatalogue) -> list[Example]:
    """Return every ticket that has a role, as filed, with the roles that count; in the order of these reviews."""
    return [example for _, example in placed(session, roles) if example.roles]


def placed(
    session: Session, roles: RoleCatalogue, keys: Collection[str] | None = None
) -> list[tuple[ReviewRow, Example]]:
    """Return reviewed tickets, as filed, each after the review that counts; of all tickets, or of some.

    In the order of these reviews. Of some, it costs the same however many others there are. Roles have today's names;
    tickets that are none of ours have none.
    """
    reviews, filing = select(Review).where(STANDING), select(Ticket)
    if keys is not None:
        reviews, filing = reviews.where(col(Review.ticket_key).in_(keys)), filing.where(col(Ticket.key).in_(keys))
    counting: dict[str, Review] = {}
    for review in session.exec(reviews.order_by(*counting_order())):
        counting[review.ticket_key] = review  # the last one wins
    filed = {ticket.key: ticket for ticket in session.exec(filing)}
    found = [
        (
            ReviewRow(r.at, r.id or 0, r.ticket_key),
            Example(
                *(t.key, t.subject, t.body, roles.today(r.roles), t.filed_at, Strength(r.strength)),
                requester=t.requester,
                reviewer=None if r.via == Via.IMPORT else r.actor,
                reviewed_at=r.at,
            ),
        )
        for r in counting.values()
        if r.strength > Strength.REOPENED and (t := filed.get(r.ticket_key))
    ]
    return sorted(found, key=lambda pair: pair[0])


def latest_reviews(session: Session, limit: int) -> list[ReviewRow]:
    """Return the latest reviews, oldest first: reading them costs the same however many there were before."""
    order = col(Review.at).desc(), col(Review.id).desc()
    rows = session.exec(select(Review.at, Review.id, Review.ticket_key).order_by(*order).limit(limit)).all()
    return [ReviewRow(at, number or 0, key) for at, number, key in reversed(rows)]


def reviews_after(session: Session, number: int, latest: int | None = None) -> list[ReviewRow]:
    """Return the reviews with a greater number, newest first; at most the `latest` ones."""
    rows = select(Review.at, Review.id, Review.ticket_key).where(col(Review.id) > number)
    found = session.exec(rows.order_by(col(Review.id).desc()).limit(latest))
    return [ReviewRow(at, identity or 0, key) for at, identity, key in found]


def examples(session: Session, roles: RoleCatalogue) -> list[Example]:
    """Return every reviewed ticket, as filed, with the roles that count; oldest ticket first."""
    return sorted(reviewed(session, roles), key=lambda e: (e.filed_at, e.ticket_key))


def newest_review(session: Session) -> int:
    """Return the number of the newest review, 0 before the first: it changes with every review."""
    return session.exec(select(Review.id).order_by(col(Review.id).desc()).limit(1)).first() or 0


def newest_forgotten(session: Session) -> int:
    """Return the number of the newest request to forget, 0 before the first."""
    return session.exec(select(func.max(Forgotten.id))).one() or 0


def rejected(session: Session, roles: RoleCatalogue, keys: Sequence[str] | None = None) -> dict[str, tuple[str, ...]]:
    """Return, by ticket, the roles of ours that people replaced, by today's names; of all tickets, or of some.

    A role that was merged with the one that replaced it is not among them.
    """
    corrections = select(Review).where(Review.strength == Strength.CORRECTED, STANDING).order_by(col(Review.id))
    if keys is not None:
        corrections = corrections.where(col(Review.ticket_key).in_(keys))
    return {
        row.ticket_key: tuple(role for role in roles.today(row.rejected) if role not in roles.today(row.roles))
        for row in session.exec(corrections)
    }


def subjects(session: Session, keys: Sequence[str]) -> dict[str, str]:
    """Return the subject of each of a few tickets, or the first words of its body."""
    rows = session.exec(select(Ticket).where(col(Ticket.key).in_(keys)))
    return {row.key: row.subject or row.body for row in rows}


def known(session: Session, encoder: str, keys: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Return the stored embeddings of these tickets, float32[dim] by ticket key."""
    import numpy as np  # not at the top: whoever only takes tickets in needs no vectors

    found: dict[str, NDArray[np.float32]] = {}
    for start in range(0, len(keys), CHUNK):
        wanted = col(Embedding.ticket_key).in_(keys[start : start + CHUNK])
        for row in session.exec(select(Embedding).where(Embedding.encoder == encoder, wanted)):
            found[row.ticket_key] = np.frombuffer(row.vector, dtype=np.float32)
    return found


def keep(session: Session, encoder: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
    """Store embeddings in place of those that the same encoder made of texts that were read in another way.

    `encoder` is the encoder's name, a slash, and how texts are read.
    """
    name, made_by, keys = encoder.partition("/")[0], col(Embedding.encoder), list(vectors)
    former = or_(made_by == name, made_by.startswith(f"{name}/", autoescape=True))
    for some in (keys[at : at + CHUNK] for at in range(0, len(keys), CHUNK)):  # meanwhile no webhook is stored
        session.execute(delete(Embedding).where(col(Embedding.ticket_key).in_(some), former))
        rows = ({"ticket_key": key, "vector": vectors[key].astype("float32").tobytes()} for key in some)
        session.execute(insert(Embedding).values(encoder=encoder), list(rows))
