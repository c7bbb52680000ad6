"""Acknowledgements a second over 50 keep-alive connections: ours, durable, against a bare Starlette endpoint.

Rounds are interleaved and each starts fresh processes; the figures are ratios of medians. Ours includes the proof of
origin, the parsing, two indexes against repetitions, one log line and the fsync.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import uvloop

from tests import processes
from tests.postgres import new_database, postgres
from tests.proofs.faults.ack_server import SECRET
from tests.proofs.faults.load import Tally, flood, request

CREATED = Path(__file__).parents[2] / "payloads" / "django-helpdesk_created.json"


NUMBERS = count(10**9 + 1)
"""Of tickets: no delivery of a run repeats another one."""


def deliveries(seconds: float) -> Callable[[], bytes | None]:
    """Return a source of ever new tickets that dries up after so many seconds."""
    template, end = json.loads(CREATED.read_text("utf-8")), time.monotonic() + seconds
    template["ticket"]["id"] = template["ticket"]["followup_set"][0]["ticket"] = 10**9
    pattern = json.dumps(template)

    def next_request() -> bytes | None:
        if time.monotonic() > end:
            return None
        body = pattern.replace("1000000000", str(next(NUMBERS))).encode()
        return request(f"/hooks/django-helpdesk/{SECRET}", body)

    return next_request


def measure(case: str, folder: Path, seconds: float, connections: int) -> Tally:
    """Run one case in a fresh process and return what the sender saw."""
    port = processes.free_port()
    with processes.server("tests.proofs.faults.ack_server", [case, str(folder), str(port)], port, folder / "log"):
        uvloop.run(flood(port, connections, deliveries(0.3)))
        tally = uvloop.run(flood(port, connections, deliveries(seconds)))
    assert not set(tally.statuses) - {202, 200}, tally.statuses
    return tally


def main(argv: Sequence[str]) -> None:
    """Print rates of every round, then the ratios."""
    parser = argparse.ArgumentParser(prog="ack")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--cases", nargs="+", default=["bare", "sqlite", "postgres"])
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as address:
        report(given, address)


def report(given: argparse.Namespace, address: str) -> None:
    """Measure all rounds with the PostgreSQL at `address` and print the figures."""
    rounds: dict[str, list[Tally]] = {case: [] for case in given.cases}
    for number in range(given.rounds):
        for case in given.cases:
            with tempfile.TemporaryDirectory() as folder:
                server = new_database(address) if case == "postgres" else case
                tally = measure(server, Path(folder), given.seconds, given.connections)
            rounds[case].append(tally)
            print(f"round {number + 1} {case}: {tally.rate:.0f}/s, p99 {tally.percentile_ms(0.99):.0f} ms", flush=True)
    rate = {case: statistics.median(t.rate for t in tallies) for case, tallies in rounds.items()}
    p99 = {case: statistics.median(t.percentile_ms(0.99) for t in tallies) for case, tallies in rounds.items()}
    ratios = " ".join(f"{case}_vs_bare={rate[case] / rate['bare']:.2f}" for case in given.cases if case != "bare")
    print(f"{ratios} p99_ms={p99['sqlite']:.0f}")
