"""A night in which nothing changed trains nothing and says so; how often is the operator's choice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.config.settings import LearningSettings
from agent.core import Parts
from agent.domain import Example, Role, RoleCatalogue, TrainingOutcome
from agent.feedback.importing import take_in
from agent.learning import due
from agent.store.tables import Training, utcnow
from heuristics import RuleSet
from tests.agent.conftest import SOURCE
from tests.invented_desk import history, trainer_for

NOW = utcnow()
CATALOGUE = RoleCatalogue([Role("Network"), Role("Electrician")])


def known(reviewed: int = 0) -> list[Example]:
    """Return twenty reviewed tickets, some of which were reviewed since yesterday."""
    ago = [timedelta(hours=1) if number < reviewed else timedelta(days=90) for number in range(20)]
    return [
        Example(f"desk:{number}", "vpn", "it drops", ("Network",), NOW - timedelta(days=100), reviewed_at=NOW - each)
        for number, each in enumerate(ago)
    ]


def trained(days: float, basis: str = "", outcome: str = TrainingOutcome.KEPT) -> Training:
    return Training(started_at=NOW - timedelta(days=days), trigger="tests", outcome=outcome, metrics={due.BASIS: basis})


def basis(**settings: object) -> str:
    return due.basis_of(known(), CATALOGUE, RuleSet(), LearningSettings(**settings))  # type: ignore[arg-type]


def test_what_a_training_depends_on_changes_its_basis_and_nothing_else_does() -> None:
    same = basis()
    assert same == basis(keep_versions=3, retrain="weekly", threads=1)
    assert same != basis(window=300)
    tickets, settings = known(), LearningSettings()
    others = [
        due.basis_of(tickets[1:], CATALOGUE, RuleSet(), settings),
        due.basis_of([replace(tickets[0], roles=("Electrician",)), *tickets[1:]], CATALOGUE, RuleSet(), settings),
        due.basis_of(tickets, RoleCatalogue([Role("Network"), Role("Power")]), RuleSet(), settings),
    ]
    assert len({same, *others}) == 4
    assert due.basis_of(tickets[::-1], CATALOGUE, RuleSet(), settings) == same


def test_an_encoder_of_ones_own_that_was_replaced_changes_the_basis(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_text("one")
    before = basis(base_model=str(tmp_path))
    assert basis(base_model=str(tmp_path)) == before
    (tmp_path / "model.safetensors").write_text("two, longer")
    assert basis(base_model=str(tmp_path)) != before


def wait(last: Training | None, retrain: object = "nightly", reviewed: int = 0) -> str | None:
    return due.reason_to_wait(last, "today", known(reviewed), retrain, NOW)  # type: ignore[arg-type]


def test_a_night_trains_where_anything_changed_or_the_last_training_failed() -> None:
    assert wait(None) is None
    assert wait(trained(1, "yesterday")) is None
    assert wait(trained(1, "today", TrainingOutcome.FAILED)) is None
    assert "nothing has changed" in str(wait(trained(1, "today")))


@pytest.mark.parametrize(("days", "waits"), [(1, True), (6, True), (6.9, False), (7, False)])
def test_once_a_week_is_once_a_week(days: float, waits: bool) -> None:
    assert (wait(trained(days), "weekly") is not None) == waits


def test_a_number_waits_for_so_many_new_reviews() -> None:
    assert "there are 4 new reviews" in str(wait(trained(1), 5, reviewed=4))
    assert wait(trained(1), 5, reviewed=5) is None


@pytest.mark.anyio
@pytest.mark.xdist_group("trained")
async def test_the_second_night_is_skipped_and_a_new_review_ends_that(trained: Parts) -> None:
    trainer = trainer_for(trained)
    first = await trainer.train(due.NIGHTLY)
    assert first.outcome == TrainingOutcome.SKIPPED, first.reason
    new = replace(history()[0], id="new")
    trained.database.call(take_in, SOURCE, [new], "tests", trained.classifier.catalogue)
    second = await trainer.train(due.NIGHTLY)
    assert second.outcome != TrainingOutcome.SKIPPED
    assert (await trainer.train(due.NIGHTLY)).outcome == TrainingOutcome.SKIPPED
