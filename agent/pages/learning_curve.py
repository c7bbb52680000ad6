"""What known roles have brought: how often each training was right on tickets that it had not seen, as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape
from sqlmodel import Session, col, select

from agent.learning.due import KNOWN
from agent.pages import charts
from agent.pages.document import Part, Table
from agent.pages.words import Words
from agent.store.tables import Training

TRAININGS, MOST_POINTS = 200, 12
"""Of the latest trainings, and of these one for each number of known roles."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training with so many known roles was right on, and the interval in which that share lies."""

    known: int
    judged: int
    share: float
    low: float
    high: float


def read(session: Session) -> list[Trained]:
    """Return the latest trainings that say how good they were, those with the fewest known roles first."""
    metrics: Any = col(Training.metrics)
    counts = (metrics[path].as_integer() for path in ((KNOWN,), ("pooled", "tickets")))
    figures = (("pooled", "accuracy"), ("pooled", "accuracy_interval", "low"), ("pooled", "accuracy_interval", "high"))
    known, judged, *shares = (*counts, *(metrics[path].as_float() for path in figures))
    rows = select(known, judged, *shares).where(known > 0, judged > 0)
    latest: dict[int, Trained] = {}
    for row in session.execute(rows.order_by(col(Training.id).desc()).limit(TRAININGS)):
        latest.setdefault(row[0], Trained(*row))
    return sorted(list(latest.values())[:MOST_POINTS], key=lambda one: one.known)


def curve(trained: Sequence[Trained], words: Words) -> Part | None:
    """Return the chart with its table; None where there are fewer than two trainings to compare."""
    if len(trained) < 2:
        return None
    texts, points, rows = words.texts, [], []
    for one in trained:
        right = texts("models.right_of", right=round(one.share * one.judged), judged=one.judged)
        ends = {"low": f"{one.low * 100:.0f}", "high": f"{one.high * 100:.0f}"}
        cells = texts.figure(one.known), right, escape(words.share(one.share)), texts("models.between", **ends)
        said = Markup("{}{}{}, {}").format(cells[0], texts("list.colon"), cells[2], cells[3])
        points.append(charts.Point(texts.figure(one.known), said.striptags(), one.share, one.low, one.high))
        rows.append(cells)
    first, last = trained[0], trained[-1]
    apart = (
        "same" if first.low <= last.high and last.low <= first.high else "better" if last.low > first.high else "worse"
    )
    shares: dict[str, str] = {"fewer": texts.figure(first.known), "more": texts.figure(last.known)}
    shares |= {"before": words.share(first.share), "now": words.share(last.share)}
    head = tuple(texts(f"models.{name}") for name in ("known", "right", "share", "interval"))
    return Part(
        texts("models.curve", **shares),
        (texts(f"models.curve_{apart}"),),
        table=Table(head, tuple(rows)),
        chart=charts.intervals(points, str(texts("models.curve_chart"))),
    )
