"""`python -m tests.proofs.bench.abuse_attacks NAME PORT SECONDS KEY`: one attack, from a process of its own.

It runs niced: strangers have machines of their own.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

CONNECTIONS = 4
HEADS = 1_000
NICENESS = 10
ANSWER_SECONDS = 120
JSON = "Content-Type: application/json"
LOST = (OSError, TimeoutError)

WRONG = json.dumps({"model_name": "wrong", "examples": [1] * 2_000_000}, separators=(",", ":")).encode()
LONG_TEXTS = json.dumps({"model_name": "small", "texts": ["leak in the pump room " * 4_500] * 160}).encode()
WAITING = json.dumps(
    {
        "model_name": "waiting",
        "trainer": "setfit",
        "num_iterations": 500,
        "examples": [{"text": f"{n} " + "leak " * 600, "label": f"l{n % 20}"} for n in range(1_000)],
    }
).encode()
MANY_LABELS = json.dumps(
    {
        "model_name": "many",
        "trainer": "frozen",
        "examples": [{"text": f"leak {n} in hall {n % 1_000}", "label": f"l{n % 1_000}"} for n in range(2_000)],
    }
).encode()
WIDE = [
    json.dumps({"model_name": "wide", "texts": ["leak"] * texts, "all_scores": True}).encode() for texts in (1_024, 250)
]


@dataclass(frozen=True)
class Target:
    """Where to send, until when (of `time.monotonic`), and with which key."""

    port: int
    until: float
    key: str

    def request(self, method: str, path: str, body: bytes = b"", length: str = "") -> bytes:
        """Return the bytes of a request with the key; `length` is said to be the body's."""
        lines = [f"{method} {path} HTTP/1.1", "Host: a", f"X-API-Key: {self.key}", JSON, "Connection: close"]
        return "\r\n".join([*lines, f"Content-Length: {length or len(body)}", "", ""]).encode() + body

    async def ask(self, wire: bytes) -> None:
        """Send bytes and wait for the end of the answer, or of the connection."""
        with suppress(*LOST):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(wire)
                await asyncio.wait_for(reader.read(), ANSWER_SECONDS)
            finally:
                writer.close()

    async def repeat(self, *wires: bytes) -> None:
        """Send one request after the other until the end."""
        for number in count():
            if time.monotonic() > self.until:
                return
            await self.ask(wires[number % len(wires)])
            await asyncio.sleep(0.01)

    async def hold(self, wire: bytes, *, connections: int) -> None:
        """Keep so many connections that sent these bytes and do no more; whoever is cut off comes again."""

        async def one() -> None:
            while (left := self.until - time.monotonic()) > 0:
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1_024)
                except OSError:
                    await asyncio.sleep(0.1)
                    continue
                writer.write(wire)
                with suppress(*LOST):
                    await asyncio.wait_for(_gone(reader), left)
                writer.close()
                await asyncio.sleep(0.05)

        await asyncio.gather(*(one() for _ in range(connections)))


async def _gone(reader: asyncio.StreamReader) -> None:
    """Return when the other side has closed; what it sends stays unread beyond a kilobyte."""
    while not reader.at_eof() and reader.exception() is None:
        await asyncio.sleep(0.1)


async def half_heads(target: Target) -> None:
    """1,000 heads that never end."""
    await target.hold(b"GET /healthz HTTP/1.1\r\nHost: a\r\n", connections=HEADS)


async def unread_answers(target: Target) -> None:
    """A hundred clients that ask for the script of the documentation, again and again, and never read it."""
    asked = b"GET /static-offline-docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n"
    await target.hold(asked * 20, connections=100)


async def stalled_bodies(target: Target) -> None:
    """Fifty bodies that stop coming after their first megabyte."""
    head = target.request("POST", "/v1/predict", length="16000000")
    await target.hold(head + b" " * 1_000_000, connections=50)


async def odd_lengths(target: Target) -> None:
    """Bodies whose length is a number of 5,001 digits, without a key."""
    wire = Target(target.port, target.until, "").request("POST", "/v1/predict", length="1" + "0" * 5_000)
    await asyncio.gather(*(target.repeat(wire) for _ in range(CONNECTIONS)))


async def wrong_examples(target: Target) -> None:
    """Two million examples of the wrong kind in 4 MB."""
    wire = target.request("POST", "/v1/train", WRONG)
    await asyncio.gather(*(target.repeat(wire) for _ in range(CONNECTIONS)))


async def long_texts(target: Target) -> None:
    """160 texts of 100,000 characters, of which 128 tokens count."""
    wire = target.request("POST", "/v1/predict", LONG_TEXTS)
    await asyncio.gather(*(target.repeat(wire) for _ in range(CONNECTIONS)))


async def job_lists(target: Target) -> None:
    """Four clients that list the jobs, beside 40 that wait."""
    for _ in range(40):
        await target.ask(target.request("POST", "/v1/train", WAITING))
    await asyncio.gather(*(target.repeat(target.request("GET", "/v1/jobs?limit=1000")) for _ in range(CONNECTIONS)))


async def all_scores(target: Target) -> None:
    """The scores of 1,000 labels for 1,024 texts, which is too much, and for 250."""
    wires = [target.request("POST", "/v1/predict", body) for body in WIDE]
    await asyncio.gather(*(target.repeat(*wires) for _ in range(CONNECTIONS)))


async def many_labels(target: Target) -> None:
    """Trainings of 1,000 labels with 2,000 texts, as many as are taken in."""
    await target.repeat(target.request("POST", "/v1/train", MANY_LABELS))


ATTACKS: Mapping[str, Callable[[Target], Awaitable[None]]] = {
    attack.__name__: attack
    for attack in (
        half_heads,
        unread_answers,
        stalled_bodies,
        odd_lengths,
        wrong_examples,
        long_texts,
        job_lists,
        all_scores,
        many_labels,
    )
}


async def _everything(target: Target) -> None:
    await asyncio.gather(*(attack(target) for attack in ATTACKS.values()))


async def _for_seconds(attack: Awaitable[None], seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(attack, seconds)


def main(name: str, port: str, seconds: str, key: str) -> None:
    """Attack until the time is up."""
    os.nice(NICENESS)
    target = Target(int(port), time.monotonic() + float(seconds), key)
    attack = _everything if name == "everything" else ATTACKS[name]
    asyncio.run(_for_seconds(attack(target), float(seconds)))


if __name__ == "__main__":
    main(*sys.argv[1:])
