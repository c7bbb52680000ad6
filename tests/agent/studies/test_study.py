"""A study replays the history without looking ahead, keeps finished cells, and shows quality against cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agent.config.settings import LearningSettings
from agent.domain import Example
from agent.studies.advice import advice
from agent.studies.replay import History, Plan
from agent.studies.replay import replay as play
from agent.studies.study import Cell, page, study

pytestmark = pytest.mark.xdist_group("trained")  # one worker imports scikit-learn
ROLES = ("Network", "Plumbing", "Electrician")
COUNT, START = 90, 40


@pytest.fixture(scope="module")
def history() -> History:
    """Ninety tickets of three roles, two a day, whose embeddings lie around their role's."""
    random = np.random.default_rng(0)
    role = random.integers(0, 3, COUNT)
    vectors = np.eye(8)[role] + 0.6 * random.normal(size=(COUNT, 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    examples = [
        Example(f"t:{i}", f"ticket {i} {random.integers(10**9)}", "", (ROLES[r],), began + timedelta(hours=12 * i))
        for i, r in enumerate(role)
    ]
    return History(examples, ROLES, np.eye(3)[role], vectors, [()] * COUNT)


def test_answers_do_not_depend_on_what_comes_later(history: History) -> None:
    plan = Plan(window=60, every=timedelta(days=5))
    answered = 20
    changed = history.labels.copy()
    changed[START + answered :] = np.roll(changed[START + answered :], 1, axis=1)
    examples = [replace(e, roles=(ROLES[int(row.argmax())],)) for e, row in zip(history.examples, changed, strict=True)]
    other = History(examples, ROLES, changed, history.embeddings, history.fired)
    one, two = play(history, plan, START), play(other, plan, START)
    np.testing.assert_array_equal(one.answers[:answered], two.answers[:answered])
    assert not np.array_equal(one.answers[answered + 10 :], two.answers[answered + 10 :])


def test_there_is_a_training_whenever_one_is_due(history: History) -> None:
    lasting = (COUNT - START) // 2  # days
    for every in (1, 5, 100):
        assert play(history, Plan(60, timedelta(days=every)), START).trainings == -(-lasting // every)


def test_it_learns_what_there_is_to_learn(history: History) -> None:
    done = play(history, Plan(60, timedelta(days=1)), START)
    assert (done.answers.argmax(axis=1) == done.labels.argmax(axis=1)).mean() > 0.6


def test_finished_cells_are_not_computed_again(history: History, tmp_path: Path) -> None:
    first: list[str] = []
    cells = study(history, [30, 60], [5], START, tmp_path, lambda name, answered: first.append(name))
    again: list[str] = []
    assert study(history, [30, 60], [5], START, tmp_path, lambda name, answered: again.append(name)) == cells
    assert len(again) == 2 < len(first)


def test_the_window_that_was_really_used_is_told(history: History, tmp_path: Path) -> None:
    """A window may be larger than the history."""
    cells = study(history, [30, 1000], [30], START, tmp_path, lambda name, answered: None)
    assert cells[0].learnt < cells[1].learnt == START
    assert cells[1].name == f"1000 ({START} there), 30 d"


def cell(window: int, days: int, accuracy: float, seconds: float) -> Cell:
    right = ("1" * round(accuracy * 10) + "0" * round((1 - accuracy) * 10)) * 100
    return Cell(window, days, 1000, accuracy, 0, 0, 0, 0, 0, 0, 1, seconds, min(window, 900), right)


def test_the_cheapest_of_the_best_is_recommended_with_its_figures_beside_what_is_set() -> None:
    cells = [cell(150, 1, 0.8, 40), cell(150, 7, 0.8, 6), cell(1000, 1, 0.9, 90), cell(1000, 7, 0.9, 13)]
    said = advice(cells, LearningSettings(), a_day=10)
    assert said.startswith('Set [learning] head_window = 1000 and retrain = "weekly": right on 90.0% of 1000 tickets')
    assert "13 CPU s of training (900 were there to learn from)" in said
    assert "as it is set now (the latest 150, every day) right on 80.0%" in said
    assert "a difference of +10.0 points [+8.1, +11.9]. Measured" in said
    assert "window = 150 and retrain = 300:" in advice([*cells[:1], cell(150, 30, 0.8, 2)], LearningSettings(), 10)
    assert "[+0.0, +0.0], which may be chance" in advice(cells[:2], LearningSettings(), 10)


def test_what_is_set_is_kept_where_nothing_is_better() -> None:
    given = LearningSettings(head_window=1000, retrain=70)
    cells = [cell(150, 7, 0.8, 6), cell(1000, 7, 0.9, 13), cell(1000, 1, 0.9, 90)]
    assert advice(cells, given, a_day=10).startswith('Keep [learning] head_window = 1000 and retrain = "weekly": right')


def test_the_page_holds_plot_and_figures_and_needs_nothing_else(history: History, tmp_path: Path) -> None:
    text = page(study(history, [60], [1, 5], START, tmp_path, lambda name, answered: None), "Set <this>")
    assert "Set &lt;this&gt;" in text
    assert "<svg" in text
    assert text.count("<tr><td>60") == 2
    assert "src=" not in text
