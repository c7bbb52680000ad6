"""What a fit costs and what it is worth, side by side: stock SetFit, ours, a frozen encoder, and TF-IDF.

    make bench NAME=training                              demo corpus, 105 tickets, 5 draws: about half an hour
    make bench NAME=training ARGS="--corpus sandiego"     also agnews, endava, or a CSV file

Every fit is a process of its own on one thread. CPU is user plus system time from the start of that process to a
saved model, imports included, since a nightly run pays them; `fit` is what remains without imports, loading and saving.
The stock trainer is not charged for our export nor for loading our encoder. The base encoder's own export happens once
per installation and is done before anything is counted. Results are kept after every fit: an interrupted run goes on
where it was.

The recipe's defaults were chosen on the draws 100 to 104; the published figures are those of the draws 0 to 4.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.fitting import child
from agent.fitting.evaluation import evaluate
from agent.fitting.job import FitResult, Job, Progress, Recipe, Sample
from agent.serving.heads import probabilities_of
from agent.serving.model import Encoder
from tests.proofs.bench.training_draws import CACHE, Draw, draw, load
from tests.proofs.bench.training_report import DEFAULT, FROZEN, ITERATED, OURS, TFIDF, Run, line, report

FIRST_SEED = 0
STOCK_COUNTED = ("start", "import", "tune")
FIT_PHASES = {"setfit": ("tune",), "contrastive": ("lower", "tune", "head"), "frozen": ("lower", "head")}
CONTENDERS: dict[str, dict[str, object] | None] = {
    TFIDF: None,
    FROZEN: {"trainer": "frozen"},
    OURS: {"trainer": "contrastive"},
    ITERATED: {"trainer": "setfit", "setfit_iterations": 5},
    DEFAULT: {"trainer": "setfit"},
}
LIMITS = child.Limits(wall_seconds=6 * 3600, memory_mb=12_000)


def main(argv: list[str]) -> int:
    """Run what is missing, print the table and the figures."""
    parser = argparse.ArgumentParser(prog="training")
    parser.add_argument("--corpus", default="demo")
    parser.add_argument("--rows", type=int, default=105)
    parser.add_argument("--judge", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", action="append", choices=list(CONTENDERS), help="leave the others out")
    parser.add_argument("--results", type=Path, default=CACHE / "training.jsonl")
    options = parser.parse_args(argv)
    options.results.parent.mkdir(parents=True, exist_ok=True)
    corpus = load(options.corpus)
    warm_up(corpus)
    known = {key(run): run for run in read(options.results)}
    runs = []
    for seed in range(FIRST_SEED, FIRST_SEED + options.seeds):
        experiment = draw(corpus, options.rows, options.judge, seed)
        for contender in options.only or CONTENDERS:
            recipe = recipe_of(contender, seed)
            wanted = (options.corpus, options.rows, seed, contender, json.dumps(relevant(recipe)))
            if wanted not in known:
                run = measure(experiment, options.corpus, seed, contender, recipe)
                with options.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(run)) + "\n")
                known[wanted] = run
            runs.append(known[wanted])
            print(line(runs[-1]), flush=True)
    report(runs)
    return 0


def recipe_of(contender: str, seed: int) -> Recipe | None:
    """Return the recipe of a contender, None for TF-IDF."""
    changes = CONTENDERS[contender]
    return None if changes is None else Recipe(**{"seed": seed, "threads": 1, **changes})  # type: ignore[arg-type]


def relevant(recipe: Recipe | None) -> dict[str, object]:
    """Return the part of a recipe that its trainer reads: another part may change without a new measurement."""
    if recipe is None:
        return {}
    stock = recipe.trainer == "setfit"
    return {name: value for name, value in asdict(recipe).items() if name.startswith("setfit_") == stock}


def key(run: Run) -> tuple[str, int, int, str, str]:
    """Return what makes a run the same experiment as another."""
    return run.corpus, run.rows, run.seed, run.contender, json.dumps(run.recipe)


def read(path: Path) -> list[Run]:
    """Return the runs of earlier calls; a line that an interruption cut short is left out."""
    lines = path.read_text("utf-8").splitlines(keepends=True) if path.exists() else []
    return [Run(**json.loads(text)) for text in lines if text.endswith("}\n")]


def job_of(experiment: Draw, recipe: Recipe) -> Job:
    """Return the fit of a draw's training texts."""
    samples = tuple(Sample(str(number), text, (role,)) for number, (text, role) in enumerate(experiment.train))
    return Job(samples, experiment.roles, recipe, CACHE / "encoders")


def warm_up(corpus: list[tuple[str, str]]) -> None:
    """Export the base encoder, and let the system read the libraries' files once."""
    experiment = draw(corpus, 20, 0, seed=99)
    fit(job_of(experiment, Recipe(trainer="frozen"))).discard()


def fit(job: Job) -> FitResult:
    """Run a job, showing where it is."""

    def show(progress: Progress) -> None:
        print(
            f"\r{progress.phase} {progress.done}/{progress.total} {progress.seconds:.0f} s   ", end="", file=sys.stderr
        )

    result = asyncio.run(child.run(job, CACHE / "scratch", on_progress=show, limits=LIMITS))
    print("\r", end="", file=sys.stderr)
    return result


def measure(experiment: Draw, corpus: str, seed: int, contender: str, recipe: Recipe | None) -> Run:
    """Fit in a process of its own and judge the saved model."""
    began = time.monotonic()
    if recipe is None:
        probabilities, cpu, fit_seconds, peak = tfidf(experiment)
        wall = time.monotonic() - began
    else:
        result = fit(job_of(experiment, recipe))
        wall = time.monotonic() - began
        cpu = counted(result, recipe)
        fit_seconds = sum(result.cpu_seconds[phase] for phase in FIT_PHASES[recipe.trainer])
        probabilities, peak = judge(result, experiment), result.peak_mb
        result.discard()
    scores = evaluate(probabilities.astype(np.float64), labels(experiment), experiment.roles)
    return Run(
        corpus=corpus,
        rows=len(experiment.train),
        seed=seed,
        contender=contender,
        recipe=relevant(recipe),
        cpu=cpu,
        fit=fit_seconds,
        wall=wall,
        peak_mb=peak,
        accuracy=scores.accuracy,
        f1=scores.macro_f1,
        log_loss=scores.log_loss,
        ece=scores.ece,
    )


def counted(result: FitResult, recipe: Recipe) -> float:
    """Return the CPU seconds that count for a contender."""
    phases = result.cpu_seconds
    return sum(phases[phase] for phase in (STOCK_COUNTED if recipe.trainer == "setfit" else phases))


def judge(result: FitResult, experiment: Draw) -> NDArray[np.float32]:
    """Return the served model's probabilities for the judged texts, not calibrated: float32[judged, roles]."""
    folder = result.folder if result.tuned else CACHE / "encoders" / result.encoder
    head = result.head()
    embeddings = Encoder.load(folder).embed([text for text, _ in experiment.judged])
    return probabilities_of(embeddings @ head.weights.T + head.bias, multi_label=False)


def labels(experiment: Draw) -> NDArray[np.float64]:
    """Return the judged texts' roles as 0/1: float64[judged, roles]."""
    return np.eye(len(experiment.roles))[[experiment.roles.index(role) for _, role in experiment.judged]]


def tfidf(experiment: Draw) -> tuple[NDArray[np.float32], float, float, float]:
    """Fit TF-IDF of words and word pairs with logistic regression in a process of its own.

    Returns probabilities, CPU seconds in all and of the fit alone, and MB.
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "draw.json").write_text(json.dumps(asdict(experiment)))
        command = [sys.executable, "-m", "tests.proofs.bench.training_tfidf", folder]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        printed = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
        cost = json.loads(printed)
        return np.load(Path(folder) / "probabilities.npy"), cost["cpu"], cost["fit"], cost["peak_mb"]
