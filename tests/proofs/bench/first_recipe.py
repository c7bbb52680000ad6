"""The recipe that this product grew from, and ours: AG News, 100 texts a class, stock SetFit in batches of four.

    make bench NAME=first_recipe      needs ../shared/data/agnews_test.csv; some minutes

The stock trainer is stopped early: its rate between two step counts, times the steps of its one epoch, is its cost.
Both sides tune the same encoder. CPU is counted as in training.py.
"""

from __future__ import annotations

import numpy as np

from agent.fitting.job import Recipe
from tests.proofs.bench.training import fit, job_of, measure, warm_up
from tests.proofs.bench.training_draws import draw, load
from tests.proofs.bench.training_report import OURS, line

SEED = 0
PER_ROLE = 100
BATCH = 4
STEPS = (20, 220)  # the rate is measured between the two


def main(argv: list[str]) -> int:
    """Fit ours, time the stock trainer, and print the figures."""
    del argv
    experiment = draw(load("agnews"), 0, 10**9, SEED, per_role=PER_ROLE)
    warm_up(list(experiment.train))
    print(f"{len(experiment.train)} training texts, {len(experiment.judged)} judged", flush=True)
    ours = measure(experiment, "agnews", SEED, OURS, Recipe(seed=SEED))
    print(line(ours), flush=True)
    results = []
    for steps in STEPS:
        recipe = Recipe(trainer="setfit", seed=SEED, setfit_batch_size=BATCH, setfit_max_steps=steps, max_tokens=256)
        results.append(fit(job_of(experiment, recipe)))
        results[-1].discard()
    few, many = (result.cpu_seconds["tune"] for result in results)
    rate = (many - few) / (STEPS[1] - STEPS[0])
    total = stock_steps([role for _, role in experiment.train], BATCH)
    cost = rate * total + sum(results[1].cpu_seconds[phase] for phase in ("start", "import"))
    print(
        f"stock, batches of {BATCH}: {rate:.3f} CPU seconds a step over {STEPS[1] - STEPS[0]} steps, "
        f"{total} steps in one epoch: {cost:.0f} CPU seconds extrapolated ({cost / 3600:.1f} h), "
        f"{results[1].peak_mb:.0f} MB after {STEPS[1]} steps"
    )
    print(
        f"cpu_vs_first={ours.cpu / cost:.6f} cpu_seconds={ours.cpu:.1f} stock_cpu_seconds={cost:.0f} "
        f"stock_steps={total} peak_mb={ours.peak_mb:.0f} stock_peak_mb={results[1].peak_mb:.0f} "
        f"accuracy={ours.accuracy:.4f} f1={ours.f1:.4f}"
    )
    return 0


def stock_steps(roles: list[str], batch_size: int) -> int:
    """Return the steps of one stock epoch: setfit oversamples the smaller kind of pair to the number of the larger.

    From setfit 1.2.0, sampler.py: all unordered pairs, a text with itself among the positive ones.
    """
    counts = np.unique(roles, return_counts=True)[1]
    positive = int((counts * (counts + 1) // 2).sum())
    negative = len(roles) * (len(roles) + 1) // 2 - positive
    return -(-2 * max(positive, negative) // batch_size)
