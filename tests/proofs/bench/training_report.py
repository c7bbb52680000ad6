"""The training benchmark's table and figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

TFIDF, FROZEN, OURS = "tf-idf + lr", "frozen + lr", "ours"
DEFAULT, ITERATED = "setfit default", "setfit num_iterations=5"
OTHERS = ((DEFAULT, "default"), (ITERATED, "it5"), (FROZEN, "frozen"), (TFIDF, "tfidf"))
MEANS = ("cpu", "fit", "wall", "accuracy", "f1", "log_loss", "ece")


@dataclass(frozen=True, slots=True)
class Run:
    """One fit and how good its model is. Seconds; megabytes; losses in nats."""

    corpus: str
    rows: int
    seed: int
    contender: str
    recipe: dict[str, object]
    cpu: float
    fit: float
    wall: float
    peak_mb: float
    accuracy: float
    f1: float
    log_loss: float
    ece: float


def line(run: Run) -> str:
    """Return one row of the table."""
    return (
        f"{run.corpus:9} draw {run.seed:3}  {run.contender:24} cpu {run.cpu:7.1f}  fit {run.fit:7.1f}  "
        f"wall {run.wall:7.1f}  {run.peak_mb:6.0f} MB  accuracy {run.accuracy:.3f}  f1 {run.f1:.3f}  "
        f"log-loss {run.log_loss:.3f}  ece {run.ece:.3f}"
    )


def report(runs: list[Run]) -> None:
    """Print means, paired differences with 95 % intervals, and the figures."""
    print()
    by = {name: [run for run in runs if run.contender == name] for name in dict.fromkeys(run.contender for run in runs)}
    for name, group in by.items():
        mean = {field: np.mean([getattr(run, field) for run in group]) for field in MEANS}
        spread = np.std([run.accuracy for run in group], ddof=1) if len(group) > 1 else 0.0
        print(
            f"mean of {len(group):2}  {name:24} cpu {mean['cpu']:7.1f}  fit {mean['fit']:7.1f}  "
            f"wall {mean['wall']:7.1f}  {max(run.peak_mb for run in group):6.0f} MB  "
            f"accuracy {mean['accuracy']:.3f}±{spread:.3f}  f1 {mean['f1']:.3f}  "
            f"log-loss {mean['log_loss']:.3f}  ece {mean['ece']:.3f}"
        )
    if OURS not in by:
        return
    ours = by[OURS]
    figures = {}
    for name, short in OTHERS:
        if name not in by:
            continue
        for field in ("accuracy", "f1"):
            gains = np.array([getattr(a, field) - getattr(b, field) for a, b in zip(ours, by[name], strict=True)])
            half = student_half_width(gains)
            interval = (
                f"(95 % interval {gains.mean() - half:+.3f} to {gains.mean() + half:+.3f})" if half else "(one draw)"
            )
            print(f"ours - {name}: {field} {gains.mean():+.3f} {interval}")
            figures[f"{field}_vs_{short}"] = f"{gains.mean():.4f}"
        if name in (DEFAULT, ITERATED):
            figures[f"cpu_vs_{short}"] = f"{np.mean([r.cpu for r in ours]) / np.mean([r.cpu for r in by[name]]):.4f}"
            figures[f"fit_vs_{short}"] = f"{np.mean([r.fit for r in ours]) / np.mean([r.fit for r in by[name]]):.4f}"
    figures["peak_mb"] = f"{max(run.peak_mb for run in ours):.0f}"
    print(" ".join(f"{name}={value}" for name, value in figures.items()))


def student_half_width(values: NDArray[np.float64]) -> float:
    """Return half the width of the 95 % interval of a mean; 0 for a single value, which has none."""
    if len(values) < 2:
        return 0.0
    return float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
