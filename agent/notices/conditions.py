"""What the operator should be told: conditions, each with its words and the next command. Pure.

conditions(Facts(now, paused="by hand"), NotifySettings())     # Condition("paused", "All comments are paused ...")
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.config.notify import NotifySettings
from agent.domain import Outcome, TrainingOutcome
from agent.feedback import accounts
from agent.feedback.accounts import Given
from agent.feedback.drift import drifts
from agent.report.week import Figures
from agent.store.stages import StageMove, Why
from agent.store.tables import Account, Training

FRESH = timedelta(days=2)
"""Of a training, or a role's fall: an older one is no news, as on the day on which notices are switched on."""

LONGEST_REASON = 300

_TRAININGS = {
    TrainingOutcome.FAILED: "The last training failed; the model that serves stays. `rolecall train` tries again",
    TrainingOutcome.KEPT: "The last training gave no better model; the one that serves stays",
    TrainingOutcome.ASKS: "A new model waits for a person: `rolecall models` shows it",
}


FALLEN = {
    Why.CHECKS: "too few random checks were right",
    Why.PEOPLE: "people left too few tickets as Rolecall had changed them",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """Something to be told once. `over` is told when it has ended, None where that is no news."""

    key: str
    text: str
    over: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the installation, and of this server, now.

    `storage`: why it can store nothing; `low`: whether its disk is about to be too full; `down`: for how long systems
    have failed; `expires`: when secrets do; `labels`: what is remembered, in the order of the reviews; `grace`:
    accounts that count as staff for a while; `week`: the last whole week in numbers, if that is wanted; `fallen`: roles
    that were lowered by themselves.
    """

    now: datetime
    server: str = ""
    paused: str | None = None
    set_aside: int = 0
    training: Training | None = None
    storage: str | None = None
    low: bool = False
    down: Mapping[str, timedelta] = field(default_factory=dict)
    expires: Mapping[str, datetime] = field(default_factory=dict)
    labels: Sequence[Given] = ()
    grace: Sequence[Account] = ()
    week: Figures | None = None
    fallen: Sequence[StageMove] = ()


def conditions(facts: Facts, settings: NotifySettings) -> list[Condition]:
    """Return all that holds now and that somebody should know."""
    of_roles = [*_labels(facts), *_fallen(facts)]
    return [*_work(facts, settings), *_models(facts), *of_roles, *_whom_to_trust(facts, settings), *_week(facts)]


def _work(facts: Facts, settings: NotifySettings) -> Iterator[Condition]:
    if facts.paused is not None:
        text = f"All comments are paused: {facts.paused}. `rolecall queue resume` ends it"
        yield Condition("paused", text, "Comments are no longer paused")
    if facts.set_aside:
        text = "Events are set aside: `rolecall queue list` says why; mend the cause, then `rolecall queue retry --all`"
        yield Condition("set aside", text)
    for source, length in facts.down.items():
        minutes = int(length / timedelta(minutes=1))
        if minutes >= settings.down_minutes:
            text = f"{source} has not answered for {minutes} minutes. Nothing is lost: events wait, and are tried again"
            yield Condition(f"down {source}", text, f"{source} answers again")
    if facts.storage is not None:
        text = f"{facts.server} cannot store events and refuses webhooks: {facts.storage}. `rolecall check` says more"
        yield Condition(f"storage {facts.server}", text, f"{facts.server} stores events again")
    elif facts.low:
        text = (
            f"The disk of {facts.server} runs full: less than twice [intake] min_free_bytes is free. Make room: below "
            "min_free_bytes webhooks are refused"
        )
        yield Condition(f"room {facts.server}", text, f"The disk of {facts.server} has room again")


def _models(facts: Facts) -> Iterator[Condition]:
    run = facts.training
    if run is None or run.finished_at is None or facts.now - run.finished_at > FRESH:
        return
    for outcome, text in _TRAININGS.items():
        if run.outcome == outcome:
            yield Condition(f"training {run.id}", f"{text}: {(run.reason or 'no reason given')[:LONGEST_REASON]}")


def _labels(facts: Facts) -> Iterator[Condition]:
    found = accounts.floods(facts.labels)
    for flood in accounts.lately(found, facts.now.date()):
        whose = f"Account {flood.whose.account} closed" if flood.by == "account" else "One requester filed"
        text = (
            f"{whose} {flood.labels} tickets on {flood.day}, far more than usual: these teach nothing. "
            "`rolecall check` names one of them"
        )
        yield Condition(f"flood {flood.whose.account or flood.whose.requester} {flood.day}", text)
    silent = {row for flood in found for row in flood.rows}
    heard = [label for row, label in enumerate(facts.labels) if row not in silent]
    for drift in drifts(heard, facts.now.date()):
        text = (
            f"{drift.role} got {drift.now:.0%} of the tickets of the last 7 days, {drift.before:.0%} of those before. "
            "If the desk has changed, there is nothing to do: the next training follows; if not: `rolecall evaluate`"
        )
        yield Condition(f"drift {drift.role} {facts.now:%G-%V}", text)


def _fallen(facts: Facts) -> Iterator[Condition]:
    for move in facts.fallen:
        if facts.now - move.at < FRESH:
            text = (
                f"{move.role} was lowered from {move.before} to {move.stage}: {FALLEN[Why(move.why)]}, "
                f"{move.right} of {move.count}. `rolecall ladder` says what it lacks"
            )
            yield Condition(f"stage {move.id}", text)


def _whom_to_trust(facts: Facts, settings: NotifySettings) -> Iterator[Condition]:
    for name, at in facts.expires.items():
        if at - facts.now < timedelta(days=settings.expiry_days):
            text = f"The secret {name} expires on {at:%Y-%m-%d}: store a new one before; no restart is needed"
            yield Condition(f"expires {name} {at:%Y-%m-%d}", text)
    for account in facts.grace:
        setting = f"connectors.{account.source}.staff"
        text = (
            f"Account {account.account_id} of {account.source} counts as staff until {account.trusted_until:%Y-%m-%d}, "
            f"because its commands did before the upgrade. Add it to {setting} to keep it; without it there, {setting} "
            "ends it at once"
        )
        yield Condition(f"grace {account.source} {account.account_id}", text)


def _week(facts: Facts) -> Iterator[Condition]:
    found = facts.week
    if found is None or not found.received:
        return
    right, clear = found.right, found.outcomes[Outcome.CLEAR]
    checked = f"Of {right.count} of these, checked at random, {right.right} were right"
    few = f"Too few of these were checked at random to say how often that is right: {right.count}"
    text = (
        f"Week {found.week.number}: a role was clearly suggested for {clear} of {found.received} tickets. "
        f"{checked if right.enough else few}. `rolecall report {found.week}` says more"
    )
    yield Condition(f"week {found.week}", text)
