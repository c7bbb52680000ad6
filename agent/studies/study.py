"""How often to retrain, and on how many tickets: quality against cost, from an installation's own history.

Each cell of the grid is one replay. Finished cells are kept as files, so an interrupted study can be resumed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path

import numpy as np
from jinja2 import Environment

from agent.fitting.evaluation import correct, evaluate
from agent.studies.replay import History, Plan, Replayed, replay

PAGE = """<!doctype html><meta charset="utf-8"><title>Rolecall study</title>
<style>body{font:16px system-ui;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}
td,th{padding:.3em .8em;border-bottom:1px solid #ccc;text-align:right}</style>
<h1>How often to retrain, and on how many tickets</h1>
<p><b>{{ advice }}</b></p>
<p>{{ tickets }} tickets answered in each replay of the history. Cost is CPU time of all trainings.</p>
{{ plot | safe }}
<table><tr><th>window<th>learnt from<th>every
<th>accuracy<th>95 %<th>macro-F1<th>clear<th>right when clear<th>trainings<th>CPU s</tr>
{% for c in cells %}<tr><td>{{ c.window }}<td>{{ c.learnt }}<td>{{ c.every_days }} d
<td>{{ "%.3f" | format(c.accuracy) }}<td>{{ "%.3f" | format(c.low) }}–{{ "%.3f" | format(c.high) }}
<td>{{ "%.3f" | format(c.macro_f1) }}
<td>{{ "%.0f" | format(100 * c.coverage) }} %<td>{{ "%.0f" | format(100 * c.precision) }} %<td>{{ c.trainings }}
<td>{{ "%.1f" | format(c.seconds) }}</tr>
{% endfor %}</table>
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """The result of a window and frequency. `coverage`: the clear share; `precision`: the right share of these.

    `learnt`: on how many tickets the last training learnt; `right`: 1 for each ticket that was answered right, else 0.
    """

    window: int
    every_days: int
    tickets: int
    accuracy: float
    low: float
    high: float
    macro_f1: float
    ece: float
    coverage: float
    precision: float
    trainings: int
    seconds: float
    learnt: int
    right: str

    @property
    def name(self) -> str:
        """The window, with what was really there, and the frequency."""
        there = f" ({self.learnt} there)" if self.learnt < self.window else ""
        return f"{self.window}{there}, {self.every_days} d"


def study(
    history: History,
    windows: Iterable[int],
    every_days: Sequence[int],
    start: int,
    folder: Path,
    on_progress: Callable[[str, int], None],
) -> list[Cell]:
    """Replay every combination that `folder` does not hold yet, and return all cells.

    `on_progress` gets the cell's name and how many tickets it has answered.
    """
    folder = folder / _digest(history, start)
    folder.mkdir(parents=True, exist_ok=True)
    cells = []
    for window in windows:
        for days in every_days:
            name = f"window {window}, every {days} d"
            kept = folder / f"{window}-{days}-2.json"  # the second form of what is kept of a cell
            if not kept.exists():
                done = replay(
                    history,
                    Plan(window, timedelta(days=days)),
                    start,
                    lambda answered, name=name: on_progress(name, answered),  # type: ignore[misc]
                )
                unfinished = kept.with_suffix(".unfinished")
                unfinished.write_text(json.dumps(asdict(cell(window, days, done, history.roles))), "utf-8")
                unfinished.replace(kept)
            on_progress(name, len(history.examples) - start)
            cells.append(Cell(**json.loads(kept.read_text("utf-8"))))
    return cells


def cell(window: int, days: int, done: Replayed, roles: Sequence[str]) -> Cell:
    """Return the result of one replay."""
    report = evaluate(done.answers, done.labels, roles, multi_label=done.multi_label)
    right = correct(done.answers, done.labels, multi_label=done.multi_label)
    clear = right[done.clear]
    return Cell(
        window,
        days,
        report.tickets,
        report.accuracy,
        report.accuracy_interval.low,
        report.accuracy_interval.high,
        report.macro_f1,
        report.ece,
        float(done.clear.mean()),
        float(clear.mean()) if len(clear) else 0.0,
        done.trainings,
        done.seconds,
        done.learnt,
        "".join("1" if one else "0" for one in right),
    )


def draw(cells: Sequence[Cell]) -> str:
    """Return quality against cost as SVG: a line per window, a point per frequency."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for window in sorted({c.window for c in cells}):
        line = sorted((c for c in cells if c.window == window), key=lambda c: c.seconds)
        cost, accuracy = np.array([c.seconds for c in line]), np.array([c.accuracy for c in line])
        axes.plot(cost, accuracy, marker="o", label=f"latest {window}")
        for c in line:
            axes.annotate(f"{c.every_days} d", (c.seconds, c.accuracy), textcoords="offset points", xytext=(4, 6))
    axes.set(xscale="log", xlabel="CPU seconds of all trainings", ylabel="accuracy")
    axes.legend(title="reviewed tickets")
    text = StringIO()
    figure.savefig(text, format="svg")
    return text.getvalue()


def page(cells: Sequence[Cell], advice: str) -> str:
    """Return the study as one self-contained HTML page, with what it recommends."""
    svg = draw(cells)
    template = Environment(autoescape=True).from_string(PAGE)
    return template.render(cells=cells, plot=svg[svg.index("<svg") :], tickets=cells[0].tickets, advice=advice)


def _digest(history: History, start: int) -> str:
    told = [(e.ticket_key, e.text, e.roles, e.filed_at.isoformat()) for e in history.examples]
    hits = [[(h.rule_id, h.start, h.end) for h in found] for found in history.fired]
    return hashlib.sha256(json.dumps([told, hits, start]).encode()).hexdigest()[:16]
