"""What stays in memory of models that others replaced: a server swaps and answers, in several threads.

    make bench NAME=swaps                       200 swaps
    make bench NAME=swaps ARGS="--keep"         the allocator keeps what it was given back, as without our mends

`rss_growth_mb` compares the resident memory in the last tenth of the swaps with the second tenth (medians).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from agent.serving.artefact import MANIFEST
from tests.processes import ROOT

SWAPS, THREADS = 200, 8
TEXTS = [f"The VPN drops every morning, case {number}" for number in range(4)]


def main(argv: Sequence[str]) -> None:
    """Print the memory now and then, and the figures."""
    parser = argparse.ArgumentParser(prog="swaps")
    parser.add_argument("--swaps", type=int, default=SWAPS)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)  # in the process that swaps
    given = parser.parse_args(argv)
    if given.data is None:
        with tempfile.TemporaryDirectory() as folder:
            held = measure(Path(folder), given.swaps, keep=given.keep)
        print(" ".join(f"{name}={value:g}" for name, value in figures(held).items()))
    else:
        swap(given.data, given.swaps, keep=given.keep)


def measure(folder: Path, swaps: int, *, keep: bool = False) -> list[float]:
    """Return the resident memory in MB after each swap, of a process that does nothing else."""
    from tests.proofs.bench.abuse import make_models

    if not (folder / "api-models").exists():
        make_models(folder)
    words = ["swaps", "--data", str(folder), "--swaps", str(swaps), *(["--keep"] if keep else [])]
    done = subprocess.run(
        [sys.executable, "-m", "tests.proofs.bench", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return [float(line) for line in done.stdout.split()]


def figures(held: Sequence[float]) -> dict[str, float]:
    """Return how much the memory grew, how much there is at the end, and the most there was."""
    tenth = max(1, len(held) // 10)
    growth = statistics.median(held[-tenth:]) - statistics.median(held[tenth : 2 * tenth])
    last = statistics.median(held[-tenth:])
    return {"rss_growth_mb": round(growth), "rss_mb": round(last), "peak_mb": round(max(held)), "swaps": len(held)}


def swap(data: Path, swaps: int, *, keep: bool) -> None:
    """Swap two models of one encoder under way, and print the memory after each swap."""
    from agent.serving import active, model
    from agent.serving.model import load

    if keep:
        active.return_freed_memory = lambda: None
        model.large_pages = lambda size: nullcontext()  # it has the system take back what is as large as weights are
    served = active.ActiveModel(data / "swapped", partial(load, encoders=data / "encoders"))
    if not (data / "swapped").exists():
        for version in ("v1", "v2"):
            shutil.copytree(data / "api-models" / "small" / "v1", folder := data / "swapped" / version)
            manifest = (folder / MANIFEST).read_text("utf-8")
            (folder / MANIFEST).write_text(manifest.replace('"v1"', f'"{version}"'), "utf-8")
    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(swaps):
            pointer = {"version": f"v{number % 2 + 1}", "predecessor": None}
            (unfinished := data / "swapped" / "unfinished").write_text(json.dumps(pointer))
            unfinished.replace(data / "swapped" / "ACTIVE")
            assert pool.submit(served.refresh).result(), served.problem
            current = served.current
            assert current is not None
            list(pool.map(current.probabilities, [TEXTS] * THREADS))
            del current
            print(_resident_mb(), flush=True)


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text("ascii")
    return float(status.partition("VmRSS:")[2].split()[0]) / 1024
