"""Heads learn from a levelled training set; weights and cut-offs see the latest tickets as they came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.config.settings import LearningSettings
from agent.domain import Example, Strength
from agent.fitting.job import Recipe
from agent.learning.candidates import Setup
from agent.learning.due import RECENT, head_windows, tickets_read
from agent.learning.train import differing
from agent.learning.training_data import TrainingData, training_data
from agent.learning.training_set import build, latest, split
from heuristics import RuleSet

START = datetime(2025, 1, 1, tzinfo=UTC)


def ticket(number: int, *roles: str, strength: Strength = Strength.CONFIRMED) -> Example:
    return Example(f"desk:{number}", f"ticket {number:b}", "", roles, START + timedelta(hours=number), strength)


def data_of(known: list[Example], window: int = 150) -> TrainingData:
    return training_data(known, build(known, window=window), RuleSet(()))


def test_half_of_a_desk_stays_half_of_what_is_judged_on() -> None:
    known = [ticket(n, "Half" if n % 2 else f"Role {n % 40}") for n in range(2000)]
    data = data_of(known)
    half = data.roles.index("Half")
    assert [data.examples[row] for row in data.recent] == known[-RECENT:]
    assert data.labels[data.recent, half].mean() == 0.5
    assert data.labels[data.learnt, half].mean() < 0.35


def test_no_role_is_lost_to_the_heads_and_the_order_is_that_of_the_reviews() -> None:
    known = [ticket(n, "Rare" if n < 5 else f"Role {n % 3}") for n in range(1000, 0, -1)]
    data = data_of(known)
    assert list(data.examples) == [e for e in known if e in data.examples]
    assert data.labels[data.learnt, data.roles.index("Rare")].sum() == 4


def test_a_short_history_is_learnt_and_judged_as_a_whole() -> None:
    data = data_of([ticket(n, f"Role {n % 3}") for n in range(60)])
    assert len(data.learnt) == len(data.recent) == len(data.examples) == 60


def test_a_persons_word_weighs_more_than_a_closing_role_and_that_more_than_our_own_echo() -> None:
    given = [strength for strength in Strength if strength is not Strength.REOPENED]
    trust = data_of([ticket(int(strength), "A", strength=strength) for strength in given]).trust
    assert list(trust) == sorted(set(trust))


def test_labels_have_a_column_per_role_and_several_roles_per_ticket() -> None:
    data = data_of([ticket(1, "B", "A"), ticket(2, "B")])
    assert data.roles == ("A", "B")
    assert data.labels.tolist() == [[1, 1], [0, 1]]
    assert data.multi_label
    assert not data_of([ticket(1, "B"), ticket(2, "A")]).multi_label


def test_older_tickets_teach_the_heads_and_tune_no_encoder(tmp_path: Path) -> None:
    known = [ticket(n, f"Role {n % 3}") for n in range(700)]
    chosen = build(known, window=150)
    parts = split(chosen.examples, chosen.groups).manifest(chosen.examples)
    setups = [
        Setup(training_data(known, chosen, RuleSet(()), latest(known, window=size)), parts) for size in (150, 600)
    ]

    jobs = [setup.job(Recipe(), tmp_path) for setup in setups]

    assert [len(job.learnt()) for job in jobs] == [150, 600]
    tuned_on, consulted = (
        [[job.samples[i].key for i in job.rows(part)] for job in jobs] for part in ("train", "validation")
    )
    assert tuned_on[0] == tuned_on[1] == parts["train"]
    assert consulted[0] == consulted[1] == parts["validation"]
    assert {name: len(keys) for name, keys in setups[1].all_parts().items()} == {
        **{name: len(keys) for name, keys in parts.items()},
        "older": 450,
        "judged": 0,
    }
    assert set(setups[0].all_parts()) == {*parts, "judged"}


@pytest.mark.parametrize(
    ("given", "windows"),
    [
        ({}, (150,)),
        ({"head_window": 1000}, (1000,)),
        ({"head_window": 20}, (150,)),
        ({"head_window": "auto"}, (150, 1000)),
    ],
)
def test_heads_learn_from_the_window_or_from_more(given: dict[str, object], windows: tuple[int, ...]) -> None:
    assert head_windows(LearningSettings.model_validate(given)) == windows


@pytest.mark.parametrize(("head_window", "read"), [("window", 600), (1000, 1150), ("auto", 1150)])
def test_the_time_of_a_training_is_expected_from_all_that_it_reads(head_window: object, read: int) -> None:
    settings = LearningSettings.model_validate({"head_window": head_window})
    assert [tickets_read(known, settings) for known in (100, 5_000)] == [100, read]


def test_what_learns_from_the_same_tickets_is_tried_once() -> None:
    known = [ticket(n, f"Role {n % 3}") for n in range(300)]
    chosen = build(known)
    small, large, whole = (
        training_data(known, chosen, RuleSet(()), latest(known, window=size)) for size in (150, 1000, 5000)
    )
    assert differing([small, large, whole]) == [small, large]
