"""Reviews: the role that people gave a ticket, and the one function that records them all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from sqlalchemy import func
from sqlmodel import Session, select

from agent.domain import Strength, Via
from agent.metrics import Metrics
from agent.store import tickets, withdrawals
from agent.store.coordination import JUST_AFTER
from agent.store.database import Database
from agent.store.tables import Review
from agent.triage.memory_store import MemoryStore
from connectors.events import Event

log = structlog.get_logger()


async def record(
    review: Review,
    database: Database,
    memory: MemoryStore,
    metrics: Metrics,
    store: Callable[[Session, Review], bool] = tickets.review,
) -> bool:
    """Store the review, count it, and add it to the memory. Return False where it was recorded before."""
    if not await database.write(store, review):
        return False
    strength = Strength(review.strength).name.lower()
    metrics.feedback.labels(strength).inc()
    log.info("reviewed", strength=strength, via=review.via)
    await asyncio.to_thread(memory.refresh)
    return True


async def withdraw(
    undo: Review,
    database: Database,
    memory: MemoryStore,
    which: Callable[[Session, Review], bool] = withdrawals.withdraw,
) -> bool:
    """Take back an answer to a ticket, by default the last, in the memory, too. Return False where there is none."""
    if not await database.write(which, undo):
        return False
    log.info("answer_withdrawn")
    await asyncio.to_thread(memory.refresh)
    return True


def by_our_clock(session: Session, review: Review) -> bool:
    """Store a review that no helpdesk dated: it comes after all that the ticket has, even if a clock was set back."""
    latest = session.exec(select(func.max(Review.at)).where(Review.ticket_key == review.ticket_key)).one()
    if latest is not None:
        review.at = max(review.at, latest + JUST_AFTER)
    return tickets.review(session, review)


def origin_of(event: Event) -> str:
    """Return the origin of a review: the delivery and kind of the event that brought it."""
    return f"{event.delivery_id}:{event.kind}"


def answer(
    ticket_key: str,
    roles: Sequence[str],
    suggested: Sequence[str],
    *,
    origin: str,
    actor: str | None,
    at: datetime,
    via: Via = Via.COMMAND,
    message_id: str | None = None,
    actor_name: str | None = None,
) -> Review:
    """Return a person's explicit review: a confirmation where it names the suggested roles, else a correction.

    Without roles, the ticket is none of ours.
    """
    agreed = set(roles) == set(suggested)
    return Review(
        ticket_key=ticket_key,
        roles=list(roles),
        rejected=[] if agreed else [role for role in suggested if role not in roles],
        strength=Strength.CONFIRMED if agreed else Strength.CORRECTED,
        via=via,
        origin=origin,
        actor=actor,
        at=at,
        message_id=message_id,
        actor_name=actor_name,
    )


def how(review: Review) -> str:
    """Return "corrected", "confirmed" or "moved"."""
    return Strength(review.strength).name.lower()


def undo(
    ticket_key: str,
    *,
    origin: str,
    actor: str | None,
    at: datetime,
    message_id: str | None = None,
    actor_name: str | None = None,
) -> Review:
    """Return the row by which somebody takes back the last answer to a ticket, in a message or by editing one."""
    return Review(
        ticket_key=ticket_key,
        roles=[],
        strength=Strength.REOPENED,
        via=Via.UNDO,
        origin=origin,
        actor=actor,
        at=at,
        message_id=message_id,
        actor_name=actor_name,
    )


def move(ticket_key: str, role: str, suggested: Sequence[str], *, origin: str, at: datetime) -> Review:
    """Return the review that a move into another role's group gives: it replaces the suggested roles."""
    rejected = list(suggested)
    return Review(
        ticket_key=ticket_key,
        roles=[role],
        rejected=rejected,
        strength=Strength.MOVED,
        via=Via.MOVE,
        origin=origin,
        at=at,
    )


def of_merged(ticket_key: str, review: Review, *, origin: str) -> Review:
    """Return what was said on a ticket as a review of the one that it was merged into: the message moved, too."""
    return Review(
        **review.model_dump(exclude={"id", "ticket_key", "origin", "via"}),
        ticket_key=ticket_key,
        origin=origin,
        via=Via.MERGE,
    )


def closure(
    ticket_key: str, role: str, suggested: Sequence[str], *, origin: str, at: datetime, actor: str | None = None
) -> Review:
    """Return the review that a closure gives: weaker where staff may simply have followed the suggestion."""
    strength = Strength.CLOSED_AS_SUGGESTED if role in suggested else Strength.CLOSED
    return Review(
        ticket_key=ticket_key, roles=[role], strength=strength, via=Via.CLOSURE, origin=origin, actor=actor, at=at
    )


def reopening(ticket_key: str, *, origin: str, at: datetime) -> Review:
    """Return the review that withdraws the label of a closure: it names no role."""
    return Review(ticket_key=ticket_key, roles=[], strength=Strength.REOPENED, via=Via.REOPENING, origin=origin, at=at)
