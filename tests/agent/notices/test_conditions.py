"""What the operator is told, and what is no news."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from agent.config.notify import NotifySettings
from agent.domain import Outcome, Strength, TrainingOutcome
from agent.feedback.accounts import Given
from agent.feedback.drift import drifts
from agent.notices.conditions import Facts, conditions
from agent.report.week import Figures, Share, Week
from agent.store.stages import StageMove
from agent.store.tables import Account, Training

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TODAY = NOW.date()


def told(**facts: object) -> list[str]:
    return [condition.text for condition in conditions(Facts(NOW, "one", **facts), NotifySettings())]  # type: ignore[arg-type]


def training(outcome: str, ended: datetime = NOW) -> Training:
    return Training(id=7, started_at=NOW, finished_at=ended, trigger="nightly", outcome=outcome, reason="no disk")


def labels(day: date, role: str, count: int, requester: str | None = None) -> list[Given]:
    return [Given(requester, day, None, day, (role,), Strength.CLOSED)] * count


def test_a_role_that_was_lowered_by_itself_is_told_while_that_is_news() -> None:
    moved = {"role": "Network", "before": "assign", "stage": "tag", "why": "people", "right": 7, "count": 10}
    fallen = [StageMove(id=3, at=NOW, **moved), StageMove(id=2, at=NOW - timedelta(days=3), **moved)]
    (text,) = told(fallen=fallen)
    assert text.startswith("Network was lowered from assign to tag: people left too few tickets as Rolecall had")
    assert "7 of 10. `rolecall ladder`" in text


def test_the_week_is_told_in_two_sentences_once() -> None:
    week = Week(2026, 9)
    few = Figures(week, 412, Counter({Outcome.CLEAR: 297}), right=Share(5, 5))
    (text,) = told(week=few)
    assert text.startswith("Week 9: a role was clearly suggested for 297 of 412 tickets. Too few of these were checked")
    (text,) = told(week=replace(few, right=Share(36, 38)))
    assert "Of 38 of these, checked at random, 36 were right. `rolecall report 2026-W09` says more" in text
    assert told(week=Figures(week)) == []


def test_where_all_is_well_there_is_nothing_to_tell() -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"paused": "staff corrected 14 of the latest 20 answers"}, "paused: staff corrected 14"),
        ({"set_aside": 1}, "`rolecall queue list`"),
        ({"down": {"plant": timedelta(minutes=30)}}, "plant has not answered for 30 minutes"),
        ({"storage": "the database is locked"}, "one cannot store events and refuses webhooks: the database is locked"),
        ({"low": True}, "The disk of one runs full"),
        ({"training": training(TrainingOutcome.FAILED)}, "failed; the model that serves stays. `rolecall train`"),
        ({"training": training(TrainingOutcome.KEPT)}, "gave no better model; the one that serves stays: no disk"),
        ({"training": training(TrainingOutcome.ASKS)}, "waits for a person"),
        ({"expires": {"ROLECALL_X": NOW + timedelta(days=13)}}, "ROLECALL_X expires on 2026-03-15"),
        ({"labels": labels(TODAY, "Network", 50, "0a1b")}, "One requester filed 50 tickets on 2026-03-02"),
        (
            {"grace": [Account(source="plant", account_id="6", trusted_until=NOW + timedelta(days=2))]},
            "Account 6 of plant counts as staff until 2026-03-04",
        ),
    ],
)
def test_each_trouble_is_told_with_what_to_do(facts: dict[str, object], words: str) -> None:
    (text,) = told(**facts)
    assert words in text
    assert "0a1b" not in text


@pytest.mark.parametrize(
    "facts",
    [
        {"down": {"plant": timedelta(minutes=29)}},
        {"training": training(TrainingOutcome.PROMOTED)},
        {"training": training(TrainingOutcome.UNDECIDED)},
        {"training": training(TrainingOutcome.FAILED, NOW - timedelta(days=3))},
        {"expires": {"ROLECALL_X": NOW + timedelta(days=15)}},
        {"labels": labels(TODAY - timedelta(days=7), "Network", 50, "0a1b")},
        {"labels": labels(TODAY, "Network", 50)},
    ],
)
def test_control_what_is_usual_or_old_is_no_news(facts: dict[str, object]) -> None:
    assert told(**facts) == []


def test_a_role_that_suddenly_gets_three_times_its_tickets_is_told_and_a_flood_is_told_as_one() -> None:
    before = [one for day in range(10, 30) for one in _mixed(TODAY - timedelta(days=day), network=2, plumbing=8)]
    lately = [one for day in range(5) for one in _mixed(TODAY - timedelta(days=day), network=6, plumbing=4)]
    assert [(d.role, round(d.now, 1), round(d.before, 1)) for d in drifts([*before, *lately], TODAY)] == [
        ("Network", 0.6, 0.2),
        ("Plumbing", 0.4, 0.8),
    ]
    usual = [one for day in range(5) for one in _mixed(TODAY - timedelta(days=day), network=3, plumbing=7)]
    assert drifts([*before, *usual], TODAY) == []
    assert drifts([*before[:90], *lately], TODAY) == []
    (text,) = told(labels=[*before, *usual, *labels(TODAY, "Network", 50, "0a1b")])
    assert text.startswith("One requester filed 50")


def _mixed(day: date, *, network: int, plumbing: int) -> list[Given]:
    return [*labels(day, "Network", network), *labels(day, "Plumbing", plumbing)]
