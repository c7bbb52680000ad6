"""Fuzz every parser and signature check that meets strangers' bytes, by properties (Hypothesis) and coverage (atheris).

    python -m tests.proofs.bench fuzz [--examples 2500] [--runs 6000]

A broken promise ends it, with the input that breaks it.
"""

from __future__ import annotations

import argparse

from tests.proofs.fuzz.campaign import Line, campaign

EXAMPLES = 2_500
RUNS = 6_000


def run(examples: int, runs: int) -> list[Line]:
    """Fuzz every target, printing a line about each."""
    lines = []
    print("target               properties  guided  coverage  corpus")
    for line in campaign(examples, runs):
        lines.append(line)
        print(
            f"{line.target:20} {line.by_properties:10} {line.by_coverage:7} {line.coverage:9} {line.corpus:7}",
            flush=True,
        )
    return lines


def main(arguments: list[str]) -> None:
    """Run the campaign and print its figures."""
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("--examples", type=int, default=EXAMPLES)
    parser.add_argument("--runs", type=int, default=RUNS)
    given = parser.parse_args(arguments)
    lines = run(given.examples, given.runs)
    print(
        f"inputs={sum(line.inputs for line in lines)} by_properties={sum(line.by_properties for line in lines)} "
        f"by_coverage={sum(line.by_coverage for line in lines)} targets={len(lines)} "
        f"coverage={sum(line.coverage for line in lines)} broken=0"
    )
