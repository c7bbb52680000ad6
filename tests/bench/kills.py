"""Kill -9 at random moments while the helpdesk misbehaves: what was lost, said twice, or done in the wrong order."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.faults.storm import Verdict, storm

TICKETS_PER_KILL = 5
"""About as many as a life of the server can take in: more would only lengthen the end."""


def main(argv: Sequence[str]) -> None:
    """Run one storm and print its verdict."""
    parser = argparse.ArgumentParser(prog="kills")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        verdict = asyncio.run(
            storm(
                Path(folder),
                tickets=given.kills * TICKETS_PER_KILL,
                lives=[None] * given.kills,
                seed=given.seed,
            )
        )
    print(verdict)
    print(line(verdict))


def line(verdict: Verdict) -> str:
    """Return the figures; an upper bound of 3/kills on the damage per kill goes with three zeros (95 %)."""
    lost, duplicates, inversions = verdict.damage
    return (
        f"kills={verdict.kills} events={verdict.acknowledged} lost={lost} duplicates={duplicates}"
        f" inversions={inversions}"
    )
