"""A long life in short: events, new models and calls of /v1 for tens of minutes, and what of it stays behind.

    make bench NAME=soak                        60,000 events, 200 hot swaps, 6,000 calls: within 45 minutes
    make bench NAME=soak ARGS="--events 2000"   swaps and calls in the same proportion
    make bench NAME=soak ARGS="--events 4000 --swaps 200"    the memory that swaps take, within twenty minutes

Of five events one files a ticket, three are replies and one closes it; each reply differs. `rss_growth_mb` compares the
resident memory of all processes in the last tenth of the time with the second tenth (medians), `files_growth` the
descriptors that the server holds and the files in its data folder, the least of each tenth. `lost` counts events that
were not acknowledged or not worked off, tickets without a comment of ours, and calls that were not answered with 200.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

import httpx

from agent.serving.artefact import MANIFEST
from agent.serving.registry import Registry
from tests.proofs.bench import abuse
from tests.proofs.bench.abuse import KEY, SECRET, Running, make_models
from tests.upgrade.helpdesk import Helpdesk, Row

EVENTS, SWAPS, CALLS = 60_000, 200, 6_000
LIFE = 5
"""Events of a ticket: it is filed, replied to three times, and closed."""

MOST_WAITING = 50
OPEN_TICKETS = 50
AT_ONCE = 8
SAMPLE_SECONDS = 1.0
HISTORY = Path(__file__).parents[2] / "upgrade" / "history.csv"
TEXTS = ["The VPN drops every morning", "Laptop hinge broke", "No permission to open the budget folder"]


@dataclass
class Calm(Helpdesk):
    """A helpdesk that finds its follow-ups at once, however many there are."""

    rows: dict[int, Row] = field(default_factory=dict)

    def _follow_up(self, number: int, user: int, text: str, *, public: bool = False, **more: Any) -> Row:
        row = super()._follow_up(number, user, text, public=public, **more)
        self.rows[row["id"]] = row
        return row

    def _follow_ups(self) -> list[Row]:
        return list(self.rows.values())


@dataclass(frozen=True)
class Sample:
    """One look at the server: resident memory of all its processes, open descriptors, files in its folder."""

    memory_mb: float
    descriptors: int
    files: int


@dataclass
class Life:
    """What happened so far."""

    events: int
    acknowledged: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    calls: int = 0
    failed_calls: int = 0
    swaps: int = 0
    samples: list[Sample] = field(default_factory=list)


def main(argv: Sequence[str]) -> None:
    """Print the size of the database on the way, then the figures."""
    parser = argparse.ArgumentParser(prog="soak")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--swaps", type=int)
    parser.add_argument("--calls", type=int)
    given = parser.parse_args(argv)
    share = given.events / EVENTS
    swaps, calls = given.swaps or max(2, round(SWAPS * share)), given.calls or max(10, round(CALLS * share))
    with tempfile.TemporaryDirectory() as folder:
        soak(Path(folder), given.events, swaps, calls)


def soak(folder: Path, events: int, swaps: int, calls: int) -> None:
    """Let it happen in a folder, and print the figures."""
    data, desk, began = folder / "data", Calm(), time.monotonic()
    make_models(data)
    with desk.serving() as address:
        variables = {
            "ROLECALL_BRAKES__COMMENTS_PER_HOUR": "1000000",
            "ROLECALL_TRIAGE__SILENT_BELOW": "0",
            "ROLECALL_WORK__SETTLE_SECONDS": "0.1",
        }
        with abuse.server(folder, address, variables) as running:
            life = Life(events)
            versions = role_models(folder, data)
            print(f"start: database {megabytes(data):.1f} MB", flush=True)
            asyncio.run(live(running, desk, life, Registry(data / "models", data / "encoders"), versions, swaps, calls))
            print(f"end: database {megabytes(data):.1f} MB", flush=True)
            left = unfinished(data)
    silent = sum(not desk.comments(number) for number in desk.tickets)
    second, last = tenth(life.samples, 1), tenth(life.samples, 9)
    growth = statistics.median(s.memory_mb for s in last) - statistics.median(s.memory_mb for s in second)
    files = max(
        min(s.descriptors for s in last) - min(s.descriptors for s in second),
        min(s.files for s in last) - min(s.files for s in second),
    )
    refused = life.events - life.acknowledged
    lost = refused + left + silent + life.failed_calls
    print(f"answers {dict(life.statuses)}, {left} events unfinished, {silent} tickets without a comment")
    print(
        f"rss_growth_mb={growth:.0f} files_growth={files} lost={lost} events={life.acknowledged} swaps={life.swaps} "
        f"calls={life.calls} peak_mb={max(s.memory_mb for s in life.samples):.0f} "
        f"database_mb={megabytes(data):.0f} minutes={(time.monotonic() - began) / 60:.1f}"
    )


def role_models(folder: Path, data: Path) -> list[str]:
    """Train the ticket agent's own model while the server runs, copy it under another name, and return both names."""
    command = [sys.executable, "-m", "agent.cli"]
    places = ["--config", str(folder / "agent.toml"), "--data", str(data)]
    for words in (["import", str(HISTORY), "--source", "history"], ["train", "--trainer", "frozen"]):
        done = subprocess.run([*command, *words, *places], capture_output=True, text=True, env=abuse.environment({}))
        assert done.returncode == 0, done.stdout + done.stderr
    registry = Registry(data / "models", data / "encoders")
    (first,) = registry.versions()
    second = f"{first.version[:-6]}ffffff"
    shutil.copytree(registry.folder(first.version), registry.folder(second))
    manifest = registry.folder(second) / MANIFEST
    manifest.write_text(manifest.read_text("utf-8").replace(first.version, second), "utf-8")
    return [first.version, second]


async def live(
    running: Running, desk: Calm, life: Life, registry: Registry, versions: Sequence[str], swaps: int, calls: int
) -> None:
    """Send all events, with swaps and calls evenly between them, and return when all is worked off."""
    headers = {"X-API-Key": KEY}
    url = f"http://127.0.0.1:{running.port}"
    data = registry.models.parent
    deliveries, numbers = islice(happenings(desk), life.events), count(1)
    watching = asyncio.create_task(watch(running, data, life))
    half = life.events // 2

    # shorter than the server keeps an idle connection open: it would close one at the moment at which we send
    limits = httpx.Limits(keepalive_expiry=1)
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=300, trust_env=False, limits=limits) as client:

        async def send() -> None:
            for body in deliveries:
                number = next(numbers)
                answer = await client.post(f"/hooks/django-helpdesk/{SECRET}", json=body)
                life.acknowledged += answer.is_success
                life.statuses[answer.status_code] += 1
                if number * calls // life.events > (number - 1) * calls // life.events:
                    await call(client, number, life)
                if number * swaps // life.events > (number - 1) * swaps // life.events:
                    life.swaps += 1
                    await asyncio.to_thread(registry.activate, versions[life.swaps % 2], "soak")
                if number == half:
                    print(f"middle: database {megabytes(data):.1f} MB", flush=True)
                if number % 20 == 0:
                    await calmed(client, MOST_WAITING)

        await asyncio.gather(*(send() for _ in range(AT_ONCE)))
        await calmed(client, 0)
    watching.cancel()


def happenings(desk: Calm) -> Iterator[Row]:
    """Yield the bodies of webhooks: a ticket is filed, replied to, and closed when some more were filed."""
    for number in count(1):
        yield desk.file(f"VPN {number}", f"The VPN drops every morning, case {number}")
        for reply in range(1, LIFE - 1):
            yield desk.reply(number, f"It still does not work, try {reply} of case {number}")
        if number > OPEN_TICKETS:
            yield desk.close(number - OPEN_TICKETS, 2)


async def call(client: httpx.AsyncClient, number: int, life: Life) -> None:
    """Ask /v1 for something, in turn."""
    named = {"model_name": "small", "texts": TEXTS}
    asked = (("POST", "/v1/predict", named), ("POST", "/v1/embeddings", named), ("GET", "/v1/models", None))
    verb, path, body = asked[number % len(asked)]
    answer = await client.request(verb, path, json=body)
    life.calls += 1
    life.failed_calls += answer.status_code != 200


async def calmed(client: httpx.AsyncClient, most: int) -> None:
    """Return when no more than so many events wait."""
    while True:
        events = (await client.get("/readyz")).json().get("events", {})
        if events.get("waiting", 0) + events.get("working", 0) <= most:
            return
        await asyncio.sleep(0.2)


async def watch(running: Running, data: Path, life: Life) -> None:
    """Look at the server until cancelled."""
    while True:
        life.samples.append(await asyncio.to_thread(looked, running, data))
        await asyncio.sleep(SAMPLE_SECONDS)


def looked(running: Running, data: Path) -> Sample:
    """Return how the server is now."""
    descriptors = len(os.listdir(f"/proc/{running.process.pid}/fd"))  # noqa: PTH208 - as fast as it gets
    return Sample(running.held_mb(), descriptors, sum(len(names) for _, _, names in os.walk(data)))


def tenth(samples: Sequence[Sample], index: int) -> Sequence[Sample]:
    """Return the samples of one tenth of the time, counted from 0."""
    size = len(samples)
    return samples[size * index // 10 : max(size * (index + 1) // 10, size * index // 10 + 1)]


def megabytes(data: Path) -> float:
    """Return the size of the database and its log."""
    return sum(file.stat().st_size for file in data.glob("rolecall.sqlite3*")) / (1 << 20)


def unfinished(data: Path) -> int:
    """Return how many events are not done."""
    with closing(sqlite3.connect(data / "rolecall.sqlite3")) as connection:
        states = dict(connection.execute("SELECT state, count(*) FROM inbox GROUP BY state"))
    print(f"events: {json.dumps(states)}")
    return sum(number for state, number in states.items() if state not in ("done", "dropped"))
