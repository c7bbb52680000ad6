"""A burst of events as fast as the sender can send, kill -9 on the backlog, and the drain; what an event costs later.

Of every five events one files a ticket, three are replies and one closes it. The helpdesk is a calm stub in a process
of its own. `lost` counts acknowledged events that did not end as done and tickets without our comment; `cost_ratio`
compares one ticket's whole life in a database with a million finished events to one with a thousand.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx
import uvloop
from sqlalchemy import create_engine

from connectors.events import Kind
from tests import processes
from tests.proofs.bench.stored import cost_ratios
from tests.proofs.faults.desk_server import Plan
from tests.proofs.faults.http_desk import SECRET
from tests.proofs.faults.load import Tally, flood, request

LIFE = (Kind.CREATED, Kind.COMMENTED, Kind.COMMENTED, Kind.COMMENTED, Kind.CLOSED)
SIZES = (1_000, 100_000, 1_000_000)


def main(argv: Sequence[str]) -> None:
    """Print what happened on the way, then the figures."""
    parser = argparse.ArgumentParser(prog="burst")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        ratios = cost_ratios(Path(folder), given.sizes, given.rounds)
    with tempfile.TemporaryDirectory() as folder:
        peak_mb, lost, duplicates, p99 = burst(Path(folder), given.events, given.connections)
    ratio = ratios[max(given.sizes)]
    figures = f"peak_mb={peak_mb:.0f} lost={lost} duplicates={duplicates} p99_ms={p99:.0f}"
    print(f"events={given.events} {figures} cost_ratio_1m_vs_1k={ratio:.2f}")


def burst(folder: Path, events: int, connections: int) -> tuple[float, int, int, float]:
    """Let it happen; return the server's peak memory in MB, losses, repetitions and the p99 of answers in ms."""
    with ExitStack() as stack:
        desk = processes.free_port()
        stack.enter_context(processes.server("tests.proofs.faults.stub_desk", [str(desk)], desk, folder / "desk.log"))
        plan = Plan(
            str(folder / "data"), processes.free_port(), f"http://127.0.0.1:{desk}/", comments_per_hour=10 * events
        )
        before, tally = _flood(folder, plan, events, connections)
        print(
            f"{tally.rate:.0f} answers a second, {dict(tally.statuses)}, p99 {tally.percentile_ms(0.99):.0f} ms,"
            f" longest {tally.percentile_ms(1):.0f} ms, peak {before:.0f} MB",
            flush=True,
        )
        assert tally.statuses[202] == events, "a refusal"
        assert not tally.unanswered
        after = _drain(folder, plan)
        counts = httpx.get(f"http://127.0.0.1:{desk}/counts", trust_env=False).json()
    states = _states(plan)
    tickets = -(-events // len(LIFE))
    lost = events - states.get("done", 0) + tickets - sum(counts.values())
    duplicates = sum((int(each) - 1) * number for each, number in counts.items())
    return max(before, after), lost, duplicates, tally.percentile_ms(0.99)


def _flood(folder: Path, plan: Plan, events: int, connections: int) -> tuple[float, Tally]:
    with processes.server("tests.proofs.faults.desk_server", plan.arguments(), plan.port, folder / "log") as server:
        tally = uvloop.run(flood(plan.port, connections, _deliveries(events)))
        return _peak_mb(server), tally


def _drain(folder: Path, plan: Plan) -> float:
    """Start again on what the killed server left, and return the peak memory when all is worked off."""
    left = _open(plan)
    begun = time.monotonic()
    with processes.server("tests.proofs.faults.desk_server", plan.arguments(), plan.port, folder / "log") as server:
        print(f"killed with {left} events to do; listening again after {time.monotonic() - begun:.1f} s", flush=True)
        shown = begun
        while still := _open(plan):
            assert server.poll() is None, (folder / "log").read_text()[-2000:]
            if time.monotonic() - shown > 60:
                shown = time.monotonic()
                print(f"{still} to do, {(left - still) / (shown - begun):.0f} a second", flush=True)
            time.sleep(1)
        print(f"drained at {left / (time.monotonic() - begun):.0f} events a second", flush=True)
        return _peak_mb(server)


def _deliveries(events: int) -> Callable[[], bytes | None]:
    number = 0

    def next_request() -> bytes | None:
        nonlocal number
        if number == events:
            return None
        ticket, step = divmod(number, len(LIFE))
        number += 1
        body = json.dumps([LIFE[step], str(ticket), f"{ticket}-{step}", "It still does not work."]).encode()
        return request(f"/hooks/desk/{SECRET}", body)

    return next_request


def _states(plan: Plan) -> dict[str, int]:
    engine = create_engine(plan.store)
    with engine.connect() as connection:
        states = dict(map(tuple, connection.exec_driver_sql("SELECT state, count(*) FROM inbox GROUP BY state")))
    engine.dispose()
    return states


def _open(plan: Plan) -> int:
    states = _states(plan)
    return states.get("waiting", 0) + states.get("working", 0)


def _peak_mb(server: subprocess.Popen[bytes]) -> float:
    status = Path(f"/proc/{server.pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1_024
