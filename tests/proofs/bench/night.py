"""What a night costs, with ever more reviewed tickets: the training that follows a few new reviews.

    make bench NAME=night                         1,000 and 40,000 reviewed tickets
    make bench NAME=night ARGS="--sizes 300 600 --trainer frozen"        a quick look
    make bench NAME=night ARGS="--release /path/to/python"   what an older release costs, with its own environment

Before the night that counts, a model serves and ten more tickets are reviewed. Time is user and system time of the
training's two processes; `peak_mb` is what they hold together, looked at ten times a second. The tickets are sentences
that work orders are mixed to, so that none repeats another one.

`cost_1k_vs_release` compares with f16728a, which was measured once: `RELEASE` keeps its CPU seconds, and those of a
fixed TF-IDF fit on the same machine at the same time, by which other machines are compared.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from agent.demo import corpus
from tests.processes import ROOT
from tests.proofs.bench.abuse import Running
from tests.proofs.bench.baselines import tfidf
from tests.proofs.bench.histories import CACHE

SIZES = (1_000, 40_000)
NEW = 10
ROLES = 6
WORDS = 24
"""Of a ticket."""

LOOK_SECONDS = 0.1
YARDSTICK_TEXTS = 2_000
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cost:
    """CPU seconds of a night, and the most memory that it held in MB."""

    seconds: float
    peak_mb: float


RELEASE = Cost(25.4, 1_078)
RELEASE_YARDSTICK = 0.77
"""Of f16728a with 1,000 reviewed tickets, and the seconds of the yardstick beside it."""


def main(argv: Sequence[str]) -> None:
    """Print each night, then the figures."""
    parser = argparse.ArgumentParser(prog="night")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--trainer", default="contrastive", choices=("frozen", "contrastive"))
    parser.add_argument(
        "--release", type=Path, help="Python of an older release's environment: only this one, at 1,000"
    )
    given = parser.parse_args(argv)
    if given.release:
        cost = night(given.sizes[0], given.trainer, given.release)
        print(f"release_s={cost.seconds:.1f} yardstick_s={yardstick():.2f} peak_mb={cost.peak_mb:.0f}")
        return
    costs = []
    for size in given.sizes:
        costs.append(night(size, given.trainer, Path(sys.executable)))
        print(f"{size} reviewed tickets: {costs[-1].seconds:.1f} CPU s, {costs[-1].peak_mb:.0f} MB", flush=True)
    same_machine = RELEASE.seconds * yardstick() / RELEASE_YARDSTICK
    print(
        f"cost_ratio_40k_vs_1k={costs[-1].seconds / costs[0].seconds:.2f} "
        f"cost_1k_vs_release={costs[0].seconds / same_machine:.2f} peak_mb={max(cost.peak_mb for cost in costs):.0f}"
    )


def night(size: int, trainer: str, python: Path) -> Cost:
    """Return what a night costs with so many reviewed tickets, by the Rolecall of a Python environment."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        install(folder, trainer)
        write(folder / "old.csv", 0, size)
        write(folder / "new.csv", size, size + NEW)
        run(python, folder, "import", str(folder / "old.csv"), "--source", "desk")
        run(python, folder, "train", "--trainer", "frozen")
        run(python, folder, "import", str(folder / "new.csv"), "--source", "desk")
        return run(python, folder, "train", "--trigger", "nightly")


def install(folder: Path, trainer: str) -> None:
    """Write the files of an installation."""
    roles = "".join(f'[[role]]\nname = "Role {n}"\n' for n in range(ROLES))
    (folder / "roles.toml").write_text(roles)
    (folder / "rules.toml").write_text('[[rule]]\nid = "never"\nrole = "Role 0"\nkeywords = ["no ticket says this"]\n')
    (folder / "agent.toml").write_text(f'[learning]\ntrainer = "{trainer}"\nthreads = 1\n')


def write(file: Path, first: int, last: int) -> None:
    """Write tickets by number, one every half an hour, as an import reads them."""
    by_role = vocabulary()
    with file.open("w", newline="", encoding="utf-8") as opened:
        rows = csv.writer(opened)
        rows.writerow(["id", "subject", "body", "role", "created_at"])
        for number in range(first, last):
            random = np.random.default_rng(number)
            role = int(random.integers(ROLES))
            words = random.choice(by_role[role], WORDS)
            at = BEGAN + timedelta(minutes=30 * number)
            rows.writerow([number, " ".join(words[:5]), " ".join(words), f"Role {role}", at.isoformat()])


def vocabulary() -> list[list[str]]:
    """Return the words of each role: those of the work orders of one group, and some that all have."""
    groups: dict[str, list[str]] = {}
    for example in corpus.load(CACHE):
        groups.setdefault(example.roles[0], []).extend(example.text.split())
    largest = sorted(groups.values(), key=len, reverse=True)[:ROLES]
    return [[*words, *largest[(role + 1) % ROLES][: len(words) // 4]] for role, words in enumerate(largest)]


def run(python: Path, folder: Path, *words: str) -> Cost:
    """Run a command and return what it costs, its children included."""
    command = [str(python), "-m", "agent.cli", *words, "--config", str(folder / "agent.toml")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    root = python.parents[2] if python != Path(sys.executable) else ROOT
    process = subprocess.Popen(
        [*command, "--data", str(folder / "data")],
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    held = [0.0]
    watching = threading.Thread(target=watch, args=(process, held))
    watching.start()
    said = process.communicate()[0]
    watching.join()
    assert process.returncode == 0, said.decode()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{words[0]}: {said.decode().splitlines()[-1]}", flush=True)
    return Cost(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, max(held))


def watch(process: subprocess.Popen[bytes], held: list[float]) -> None:
    """Note what the process and its children hold until it ends."""
    while process.poll() is None:
        held.append(Running(process, 0).held_mb())
        time.sleep(LOOK_SECONDS)


def yardstick() -> float:
    """Return the CPU seconds of a fixed TF-IDF fit on this machine, the least of three."""
    by_role, random = vocabulary(), np.random.default_rng(0)
    role = random.integers(ROLES, size=YARDSTICK_TEXTS)
    texts = [" ".join(random.choice(by_role[r], WORDS)) for r in role]
    taken = []
    for _ in range(3):
        began = time.process_time()
        tfidf(texts, np.eye(ROLES)[role], texts)
        taken.append(time.process_time() - began)
    return min(taken)
