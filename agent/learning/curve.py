"""Draw precision against coverage: the share of tickets with a clear suggestion at each precision."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from agent.triage.cutoffs import Row


def draw(curve: Sequence[Row], target: float) -> str:
    """Return the curve as SVG, with the precision that the operator asks for."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    _, coverage, precision, low, high = zip(*curve, strict=True)
    axes.fill_between(coverage, low, high, alpha=0.2, linewidth=0, label="95 % interval")
    axes.plot(coverage, precision, marker=".", label="precision")
    axes.axhline(target, linestyle="--", color="grey", label=f"asked for: {target:g}")
    axes.set(xlabel="share of tickets that get a plain answer", ylabel="share of these that is right", ylim=(0, 1.02))
    axes.legend(loc="lower left")
    text = StringIO()
    figure.savefig(text, format="svg")
    return text.getvalue()
