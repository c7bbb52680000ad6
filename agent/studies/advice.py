"""What a study recommends to set, in one sentence with its figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from agent.config.settings import LearningSettings
from agent.domain import Example
from agent.studies.study import Cell

NEAR = 0.005
"""What is right on half a point more is not worth any cost."""

SURE = 1.96
"""Standard errors on both sides of a mean: a 95 % interval."""

OFTEN = {"nightly": 1, "weekly": 7}


def reviews_a_day(reviewed: Sequence[Example]) -> float:
    """Return how many tickets with a review were filed a day."""
    filed = [example.filed_at for example in reviewed]
    return len(filed) / max(1.0, (max(filed) - min(filed)) / timedelta(days=1))


def set_now(settings: LearningSettings, a_day: float) -> tuple[int, int]:
    """Return the window that heads learn from, and the days between two trainings, with so many reviews a day."""
    more = settings.head_window if isinstance(settings.head_window, int) else 0
    often = settings.retrain
    days = OFTEN[often] if isinstance(often, str) else max(1, round(often / a_day))
    return max(settings.window, more), days


def recommended(cells: Sequence[Cell]) -> Cell:
    """Return the cheapest cell that is right on about as many tickets as the best one."""
    best = max(cell.accuracy for cell in cells)
    return min((cell for cell in cells if cell.accuracy >= best - NEAR), key=lambda cell: (cell.seconds, cell.window))


def advice(cells: Sequence[Cell], settings: LearningSettings, a_day: float) -> str:
    """Return what to set. `cells` has one for what is set now; `a_day`: reviews a day in this history."""
    window, days = set_now(settings, a_day)
    now = next(cell for cell in cells if (cell.window, cell.every_days) == (window, days))
    chosen = recommended(cells)
    wanted = " and ".join(_settings(chosen, settings, a_day))
    if chosen is now:
        return f"Keep {wanted}: {_figures(now)}; nothing here was right on half a point more, or cheaper at as many."
    low, mean, high = difference(chosen, now)
    chance = ", which may be chance" if low <= 0 <= high else ""
    return (
        f"Set {wanted}: {_figures(chosen)}; as it is set now (the latest {now.window}, every {_days(days)}) "
        f"{_figures(now)}, a difference of {mean:+.1f} points [{low:+.1f}, {high:+.1f}]{chance}. Measured with "
        "the frozen encoder."
    )


def difference(one: Cell, other: Cell) -> tuple[float, float, float]:
    """Return on how many tickets more in a hundred one cell is right than another, paired: low, mean and high."""
    paired = np.array([100 * (int(a) - int(b)) for a, b in zip(one.right, other.right, strict=True)])
    mean, error = float(paired.mean()), float(paired.std() / np.sqrt(len(paired)))
    return mean - SURE * error, mean, mean + SURE * error


def _settings(cell: Cell, settings: LearningSettings, a_day: float) -> tuple[str, str]:
    name = "window" if cell.window <= settings.window else "head_window"
    named = {days: f'"{word}"' for word, days in OFTEN.items()}
    often = named.get(cell.every_days, f"{max(1, round(cell.every_days * a_day))}")
    return f"[learning] {name} = {cell.window}", f"retrain = {often}"


def _figures(cell: Cell) -> str:
    learnt = f" ({cell.learnt} were there to learn from)" if cell.learnt < cell.window else ""
    return f"right on {cell.accuracy:.1%} of {cell.tickets} tickets for {cell.seconds:.0f} CPU s of training{learnt}"


def _days(days: int) -> str:
    return "day" if days == 1 else f"{days} days"
