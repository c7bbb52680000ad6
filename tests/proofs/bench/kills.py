"""Kill -9 at random moments while the helpdesk misbehaves: what was lost, said twice, or done in the wrong order.

A server alone starts again as it was. Of three on one PostgreSQL the dead never come back: whoever replaces one has
another identity and port, and half of them are not replaced at once.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.postgres import new_database, postgres
from tests.proofs.faults.storm import Verdict, storm

TICKETS_PER_KILL = 3
"""About as many as a life of the server can take in: more would only lengthen the end."""


REPLICAS = 3


def main(argv: Sequence[str]) -> None:
    """Run one storm on SQLite and one on PostgreSQL with three servers, and print the verdicts."""
    parser = argparse.ArgumentParser(prog="kills")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--cluster-kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        single = asyncio.run(raging(Path(folder), given.kills, given.seed)) if given.kills else Verdict()
    print(single, flush=True)
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as address:
        cluster = (
            asyncio.run(raging(Path(folder), given.cluster_kills, given.seed, new_database(address)))
            if given.cluster_kills
            else Verdict()
        )
    print(cluster)
    print(f"{figures(single)} {figures(cluster, 'cluster_')}")


async def raging(folder: Path, kills: int, seed: int, database_url: str = "") -> Verdict:
    """Kill so many times while tickets keep coming."""
    return await storm(
        folder,
        tickets=kills * TICKETS_PER_KILL,
        lives=[None] * kills,
        seed=seed,
        replicas=REPLICAS if database_url else 1,
        database_url=database_url,
    )


def figures(verdict: Verdict, prefix: str = "") -> str:
    """Return the figures; with three zeros, the damage per kill is below 3/kills (95 %)."""
    lost, duplicates, inversions = verdict.damage
    return (
        f"{prefix}kills={verdict.kills} {prefix}lost={lost} {prefix}duplicates={duplicates}"
        f" {prefix}inversions={inversions}"
    )
