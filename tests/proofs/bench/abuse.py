"""Attacks on the receiver and on the model API, each alone and then all together, beside 20 webhooks a second.

    make bench NAME=abuse                       6 seconds each; the whole is ARGS="--seconds 60"
    make bench NAME=abuse ARGS="--only long_texts"

`lost` counts webhooks without a 2xx within 10 s, and `p99_ms` is of their answers, both the worst of all attacks;
`alone_p99_ms` is the same load without any. `peak_mb` is the resident memory of the server and its trainings, `gone_s`
the time from SIGTERM to the end of the process under all attacks. The soft and the hard limit of descriptors are 1,024.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np

from agent.fitting.job import PACKAGED
from agent.serving.artefact import Head, Manifest, write
from agent.serving.registry import Registry
from tests import processes
from tests.proofs.bench.abuse_attacks import ATTACKS
from tests.upgrade.helpdesk import AGENT, TOKEN, Helpdesk

KEY = "the key of the benchmark"
SECRET = "webhook-secret-of-the-benchmark"
PER_SECOND = 20
PATIENCE_SECONDS = 10
DESCRIPTORS = 1_024
MODELS = {"small": 4, "wide": 1_000}
EVERYTHING = "everything"


@dataclass
class Seen:
    """What the sender saw, and the most memory that the server held."""

    milliseconds: list[float] = field(default_factory=list)
    lost: int = 0
    peak_mb: float = 0.0

    def __str__(self) -> str:
        return f"p99 {self.p99_ms:6.0f} ms, lost {self.lost}, peak {self.peak_mb:.0f} MB"

    @property
    def p99_ms(self) -> float:
        """The time that 99 of 100 acknowledgements did not exceed."""
        return float(np.quantile(self.milliseconds, 0.99)) if self.milliseconds else float("inf")


def main(argv: Sequence[str]) -> None:
    """Print a line for each attack, then the worst of all."""
    parser = argparse.ArgumentParser(prog="abuse")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--only", nargs="+", choices=[*ATTACKS, EVERYTHING], default=[*ATTACKS, EVERYTHING])
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        worst = measure(Path(folder), given.seconds, given.only)
    print(" ".join(f"{name}={value:g}" for name, value in worst.items()))


def measure(folder: Path, seconds: float, names: Sequence[str]) -> dict[str, float]:
    """Attack a server on a folder, print a line for each attack, and return the worst of all."""
    make_models(folder / "data")
    desk = Helpdesk()
    with desk.serving() as address, server(folder, address) as running:
        alone = under(running, desk, None, seconds)
        print(f"{'no attack':16} {alone}", flush=True)
        attacked = {}
        for name in names:
            attacked[name] = seen = under(running, desk, name, seconds)
            running.cancel_jobs()
            print(f"{name:16} {seen}, then {running.held_mb():.0f} MB", flush=True)
        gone = running.stop_under_attack()
    worst = list(attacked.values())
    return {
        "lost": sum(seen.lost for seen in worst),
        "p99_ms": round(max(seen.p99_ms for seen in worst)),
        "alone_p99_ms": round(alone.p99_ms),
        "peak_mb": round(max(seen.peak_mb for seen in worst)),
        "gone_s": round(gone, 1),
        "webhooks": sum(len(seen.milliseconds) + seen.lost for seen in worst),
        "attacks": len(worst),
        "seconds": seconds,
    }


def make_models(data: Path) -> None:
    """Write a model of four labels and one of a thousand, on the built-in encoder, for the server to answer with."""
    from agent.fitting.process.base import open_base
    from agent.fitting.process.export import cached_encoder
    from agent.fitting.process.source import locate

    encoders = data / "encoders"
    encoder = cached_encoder(open_base(locate(PACKAGED, encoders), 128), encoders).name
    random = np.random.default_rng(0)
    for name, labels in MODELS.items():
        registry = Registry(data / "api-models" / name, encoders)
        fields = {
            "version": "v1", "created_at": datetime.now(UTC), "roles": [f"label {n}" for n in range(labels)],
            "multi_label": False, "trainer": "frozen", "base_model": PACKAGED, "encoder": encoder, "tuned": False,
            "seed": 0, "tickets": {},
        }  # fmt: skip
        head = Head(random.normal(size=(labels, 384)).astype(np.float32), np.zeros(labels, dtype=np.float32))
        manifest = Manifest.model_validate(fields)
        write(registry.folder("v1"), manifest, head, {"temperature": np.ones(1)}, encoders / encoder)
        registry.activate("v1", "benchmark")


@dataclass
class Running:
    """The server's process."""

    process: subprocess.Popen[bytes]
    port: int

    def held_mb(self) -> float:
        """Return the resident memory of the server and all its descendants, in MB."""
        return sum(map(_resident_mb, [self.process.pid, *_descendants(self.process.pid)]))

    def cancel_jobs(self) -> None:
        """Cancel what an attack left waiting, so that the next one is measured alone."""
        headers = {"X-API-Key": KEY}
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=120) as client:
            for job in client.get("/v1/jobs", params={"limit": 1_000}).json():
                if job["status"] in ("pending", "running"):
                    client.delete(f"/v1/jobs/{job['job_id']}")

    def stop_under_attack(self) -> float:
        """Ask the server to stop while all attacks go on, and return after how many seconds it is gone."""
        attack = attacking(EVERYTHING, self.port, 30)
        time.sleep(2)
        began = time.monotonic()
        self.process.terminate()
        self.process.wait()
        gone = time.monotonic() - began
        attack.kill()
        attack.wait()
        return gone


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the server and of commands beside it."""
    secrets = {"TOKEN": TOKEN, "WEBHOOK_SECRETS": json.dumps([SECRET])}
    named = {f"ROLECALL_CONNECTORS__DJANGO_HELPDESK__{name}": value for name, value in secrets.items()}
    return {**os.environ, "API_KEY": KEY, **named, **more}


@contextmanager
def server(folder: Path, desk: str, more: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Run `rolecall serve` with few descriptors and more variables, connected to a helpdesk."""
    port = processes.free_port()
    tickets = Path(__file__).parents[2] / "tickets"
    (folder / "agent.toml").write_text(
        f'rules = "{tickets / "rules.toml"}"\nroles = "{tickets / "roles.toml"}"\n'
        f'[connectors.django-helpdesk]\nurl = "{desk}"\nauthor_id = {AGENT}\nqueues = {{ 1 = "HELP" }}\n'
    )
    command = [sys.executable, "-m", "agent.cli", "serve", "--config", str(folder / "agent.toml")]
    command += ["--data", str(folder / "data"), "--port", str(port)]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env=environment(more or {}),
            stdout=log,
            stderr=log,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS)),
        )
    try:
        processes.await_listening(process, port, folder / "log")
        yield Running(process, port)
    finally:
        processes.kill(process)


def attacking(name: str, port: int, seconds: float) -> subprocess.Popen[bytes]:
    """Start an attack in a process of its own."""
    module = "tests.proofs.bench.abuse_attacks"
    return subprocess.Popen([sys.executable, "-m", module, name, str(port), str(seconds), KEY])


def under(running: Running, desk: Helpdesk, attack: str | None, seconds: float) -> Seen:
    """Send webhooks for so many seconds under an attack, and return what came of them."""
    seen, over = Seen(), threading.Event()
    watching = threading.Thread(target=_watch, args=(running, seen, over))
    attacker = attacking(attack, running.port, seconds + 2) if attack else None
    watching.start()
    try:
        asyncio.run(_webhooks(running.port, desk, seconds, seen))
    finally:
        if attacker:
            attacker.kill()
            attacker.wait()
        over.set()
        watching.join()
    assert running.process.poll() is None, "the server is gone"
    return seen


def _watch(running: Running, seen: Seen, over: threading.Event) -> None:
    while not over.wait(0.2):
        seen.peak_mb = max(seen.peak_mb, running.held_mb())


async def _webhooks(port: int, desk: Helpdesk, seconds: float, seen: Seen) -> None:
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * PER_SECOND)):
            await asyncio.sleep(max(0, began + number / PER_SECOND - time.perf_counter()))
            body = json.dumps(desk.file(f"VPN {number}", "The VPN drops every morning")).encode()
            group.create_task(_deliver(port, body, seen))


async def _deliver(port: int, body: bytes, seen: Seen) -> None:
    head = f"POST /hooks/django-helpdesk/{SECRET} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    began = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            status = int((await reader.readline()).split()[1])
            writer.close()
    except (OSError, TimeoutError, IndexError):
        status = 0
    if 200 <= status < 300:
        seen.milliseconds.append(1_000 * (time.perf_counter() - began))
    else:
        seen.lost += 1


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _descendants(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text("ascii").split()]
    except OSError:
        return []
    return [*children, *(each for child in children for each in _descendants(child))]
