"""`python -m tests.proofs.fuzz.guided TARGET FOLDER RUNS`: libFuzzer, by atheris, steered by the branches of our code.

It ends at the first broken promise; the input that breaks it is left in FOLDER as `crash-...`. Once libFuzzer has
started it does not return, so it has a process of its own.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
WATCHED = ["agent", "connectors", "heuristics", "tomllib", "email", "csv", "tests.fuzz.broken"]
LONGEST = 4_096
SECONDS_PER_INPUT = 60
MEMORY_MB = 2_048


@dataclass(frozen=True)
class Found:
    """What came of it; `coverage` counts the places in code that were reached, `crash` is the input that broke it."""

    inputs: int
    coverage: int
    corpus: int
    crash: bytes | None
    report: str


def explore(name: str, folder: Path, runs: int) -> Found:
    """Fuzz one target with `runs` inputs."""
    command = [sys.executable, "-m", "tests.proofs.fuzz.guided", name, str(folder), str(runs)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    report = done.stdout + done.stderr
    crashes = [file.read_bytes() for kind in ("crash", "timeout", "oom") for file in folder.glob(f"{kind}-*")]
    tried = re.findall(r"^(?:#|stat::number_of_executed_units:\s+)(\d+)", report, re.MULTILINE)
    reached = re.findall(r"cov: (\d+) ft: \d+ corp: (\d+)", report) or [("0", "0")]
    if done.returncode != 0 and not crashes:
        raise RuntimeError(f"the fuzzer of {name} ended with {done.returncode}:\n{report[-3000:]}")
    coverage, corpus = map(int, reached[-1])
    return Found(int(tried[-1]) if tried else 0, coverage, corpus, crashes[0] if crashes else None, report)


def main(name: str, folder: Path, runs: int) -> None:
    """Fuzz in this process, and end it.

    libFuzzer limits the largest memory that this process ever had, which Linux lets it inherit from whoever began it.
    """
    import atheris

    inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    with atheris.instrument_imports(include=WATCHED):
        from tests.fuzz.targets import CONTROLS, TARGETS

        target = {**TARGETS, **CONTROLS}[name](folder)
    corpus, seeds = folder / "corpus", folder / "seeds"
    for place in (corpus, seeds):
        place.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (seeds / f"{number:03}").write_bytes(seed)
    options = [f"-runs={runs}", "-seed=1", f"-max_len={LONGEST}", f"-timeout={SECONDS_PER_INPUT}"]
    options.append(f"-rss_limit_mb={inherited + MEMORY_MB}")
    places = [f"-artifact_prefix={folder}/", str(corpus), str(seeds)]
    atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", *places], target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
