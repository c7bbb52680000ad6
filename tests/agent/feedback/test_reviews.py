"""A review is recorded by one function, whoever calls it: kept once, counted once, heeded by the next answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.registry import CollectorRegistry
from sqlmodel import Session

from agent.core import Parts
from agent.domain import Strength, Via
from agent.feedback import reviews
from agent.metrics import Metrics
from agent.store import tickets
from agent.store.tables import Review, Ticket
from connectors.events import Event, Kind

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def said(roles: list[str], suggested: list[str], origin: str = "page-1") -> Review:
    return reviews.answer("desk:1", roles, suggested, origin=origin, actor="kim", at=NOON)


async def test_a_review_is_kept_and_counted_once_however_often_it_is_told(parts: Parts) -> None:
    metrics = Metrics()
    parts.database.call(tickets.file, Ticket(key="desk:1", subject="VPN", body="", filed_at=NOON))

    async def record(review: Review) -> bool:
        return await reviews.record(review, parts.database, parts.classifier.memory, metrics)

    assert await record(said(["Network"], []))
    assert not await record(said(["Network"], []))
    assert await record(said(["Electrician"], ["Network"], "page-2"))
    assert counted(metrics.registry) == {"corrected": 2}
    verdict = parts.database.call(tickets.review_that_counts, "desk:1")
    assert verdict is not None
    assert (verdict.roles, verdict.rejected, verdict.actor) == (["Electrician"], ["Network"], "kim")


@pytest.mark.parametrize(("store", "counts"), [(reviews.by_our_clock, "Electrician"), (tickets.review, "Network")])
async def test_an_answer_counts_although_a_clock_was_set_back_unless_the_helpdesk_dated_it(
    parts: Parts, store: Callable[[Session, Review], bool], counts: str
) -> None:
    parts.database.call(tickets.file, Ticket(key="desk:1", subject="VPN", body="", filed_at=NOON))
    parts.database.call(tickets.review, said(["Network"], []))
    later = said(["Electrician"], ["Network"], "page-2")
    later.at = NOON - timedelta(hours=1)
    parts.database.call(store, later)
    verdict = parts.database.call(tickets.review_that_counts, "desk:1")
    assert verdict is not None
    assert verdict.roles == [counts]


def counted(registry: CollectorRegistry) -> dict[str, float]:
    found = {s: registry.get_sample_value("rolecall_feedback_total", {"kind": s.name.lower()}) for s in Strength}
    return {strength.name.lower(): value for strength, value in found.items() if value}


@pytest.mark.parametrize(
    ("roles", "suggested", "strength", "rejected", "how"),
    [
        (["a"], ["a"], Strength.CONFIRMED, [], "confirmed"),
        (["b", "a"], ["a", "b"], Strength.CONFIRMED, [], "confirmed"),
        (["b"], ["a"], Strength.CORRECTED, ["a"], "corrected"),
        (["b", "a"], ["a"], Strength.CORRECTED, [], "corrected"),
        (["a"], [], Strength.CORRECTED, [], "corrected"),
    ],
)
def test_naming_what_was_suggested_is_agreement_and_anything_else_a_correction(
    roles: list[str], suggested: list[str], strength: Strength, rejected: list[str], how: str
) -> None:
    review = said(roles, suggested)
    assert (review.strength, review.rejected, reviews.how(review)) == (strength, rejected, how)


def test_a_closure_is_weaker_where_staff_may_have_followed_us_and_a_reopening_names_no_role() -> None:
    followed = reviews.closure("desk:1", "a", ["a"], origin="o", at=NOON)
    own = reviews.closure("desk:1", "a", ["b"], origin="o", at=NOON)
    reopened = reviews.reopening("desk:1", origin="o", at=NOON)
    assert (followed.strength, own.strength) == (Strength.CLOSED_AS_SUGGESTED, Strength.CLOSED)
    assert (reopened.roles, reopened.strength, reopened.via) == ([], Strength.REOPENED, Via.REOPENING)


def test_a_happening_has_the_name_that_earlier_releases_gave_it() -> None:
    assert reviews.origin_of(Event(Kind.CLOSED, "1", "followup-7")) == "followup-7:closed"
