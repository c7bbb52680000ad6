"""What comes over a connection: the bytes of heads and bodies, as the HTTP server takes them, and the bodies of /v1."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from pydantic import SecretStr
from uvicorn.server import ServerState

from agent.app import create_app
from agent.config.settings import ApiSettings, ServerSettings, Settings
from agent.core import Parts, assemble
from agent.serving.artefact import Head, Manifest, write
from agent.serving.registry import Registry
from agent.web.protection import WaitingRoom, limited
from tests.agent.serving.conftest import ROLES, counting_encoder
from tests.fuzz.target import Target
from tests.fuzz.webhooks import HOSTILE, SECRET, answered, helpdesk

KEY = "a key of the fuzzer"
LARGEST_REFUSAL = 65_536
MOST_CPU_SECONDS = 1.0
MOST_TURNS = 200
"""Of the event loop, until an answer has to be there."""

TICKETS = Path(__file__).parents[1] / "tickets"
REPEATED = re.compile(rb"<<(.*?)>>", re.DOTALL)
TIMES = (1, 1, 1, 30_000)
LONGEST = 500_000


class Wire(asyncio.Transport):
    """A connection that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = pause_reading = resume_reading = close

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else default


def heads(scratch: Path) -> Target:
    """Bytes on a connection, in three pieces: no answer above 499, none of ours long, whatever they are."""
    parts = _parts(scratch)
    app = create_app(parts, {"django-helpdesk": helpdesk()}, ("false",))
    loop = asyncio.new_event_loop()
    config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)
    config.load()
    protocol = limited(ServerSettings(), WaitingRoom())

    async def send(data: bytes) -> bytes:
        wire = Wire()
        connection = protocol(config=config, server_state=ServerState(), app_state={})
        connection.connection_made(wire)
        third = len(data) // 3
        for piece in (data[:third], data[third : 2 * third], data[2 * third :]):
            if piece and not wire.closed:
                connection.data_received(piece)
        connection.eof_received()
        connection.connection_lost(None)
        for _ in range(MOST_TURNS):
            if all(task is asyncio.current_task() for task in asyncio.all_tasks()):
                break
            await asyncio.sleep(0)
        return bytes(wire.written)

    def check(data: bytes) -> None:
        began = time.process_time()
        written = loop.run_until_complete(send(data))
        assert time.process_time() - began < MOST_CPU_SECONDS
        statuses = [int(status) for status in re.findall(rb"^HTTP/1\.1 (\d+)", written, re.MULTILINE)]
        assert all(status < 500 for status in statuses), statuses
        if statuses and all(status >= 400 for status in statuses):
            assert len(written) < LARGEST_REFUSAL * len(statuses)

    def close() -> None:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        parts.database.close()

    end = b" HTTP/1.1\r\nHost: a\r\n"
    seeds = [
        b"GET /healthz" + end + b"\r\n",
        b"GET /v1/models" + end + b"X-API-Key: x\r\n\r\n",
        b"POST /v1/predict" + end + b"X-API-Key: " + KEY.encode() + b"\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /v1/train" + end + b"Content-Length: 1" + b"0" * 5_000 + b"\r\n\r\n",
        b"POST /hooks/django-helpdesk/x" + end + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"POST /hooks/django-helpdesk/" + SECRET.encode() + end + b"Content-Length: 2\r\n\r\n{}",
        b"GET / HTTP/1.0\r\n\r\nGET /health HTTP/1.1\r\n\r\n",
        b"GET /healthz" + end + b"Expect: 100-continue\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        b"GET /v1/jobs?limit=x&model_name=%00" + end + b"X-API-Key: " + KEY.encode() + b"\r\n\r\n",
    ]
    return Target(check, seeds, close)


CALLS = (
    ("POST", "/v1/train"),
    ("POST", "/v1/predict"),
    ("POST", "/v1/embeddings"),
    ("PUT", "/v1/aliases/other"),
)


def model_api_bodies(scratch: Path) -> Target:
    """A body for /v1, whose first two bytes say for which call, and how often what stands in << >> is repeated."""
    parts = _parts(scratch)
    _put_model(parts)
    app = create_app(parts, {}, ("false",))
    loop = asyncio.new_event_loop()

    def check(data: bytes) -> None:
        method, path = CALLS[(data or b"\0")[0] % len(CALLS)]
        times = TIMES[(data[1:2] or b"\0")[0] % len(TIMES)]
        body = REPEATED.sub(lambda found: found[1] * min(times, LONGEST // max(1, len(found[1]))), data[2:])[:LONGEST]
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path, "raw_path": b"",
            "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
            "headers": [(b"x-api-key", KEY.encode()), (b"content-length", str(len(body)).encode())],
        }  # fmt: skip
        began = time.process_time()
        status, answer = loop.run_until_complete(answered(app, scope, body))
        spent = time.process_time() - began
        assert status < 500, answer[:1_000]
        if status >= 400:
            assert len(answer) < LARGEST_REFUSAL
            assert spent < MOST_CPU_SECONDS, f"{status} took {spent:.1f} s"

    def close() -> None:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        parts.database.close()

    example = b'{"text": "oil leak", "label": "a"}'
    named = b'{"model_name": "m", '
    seeds = [
        b"00"
        + named
        + b'"examples": ['
        + example
        + b', {"text": "lamp", "label": "b"}], "trainer": "frozen", "seed": 1}',
        b"03" + named + b'"examples": [<<1,>>1]}',
        b"03" + named + b'"examples": [<<{"text": "a"},>>{}]}',
        b"02" + named + b'"examples": [<<' + example + b',>>{"text": "lamp", "label": "b", "labels": []}]}',
        b"03" + named + b'"examples": [{"text": "a", "labels": [<<"a",>>"b"]}, {"text": "b", "labels": ["c"]}]}',
        b"10" + named + b'"texts": ["oil", "lamp"], "all_scores": true, "version": "v1"}',
        b"13" + named + b'"texts": ["<<a >>b"]}',
        b"12" + named + b'"texts": [<<"a",>>"b"]}',
        b"20" + named + b'"texts": ["oil"], "dimensions": 2}',
        b"23" + named + b'"texts": <<[>>1}',
        b"30" + named + b'"other": {"<<a>>": 1}}',
    ]
    return Target(check, [*seeds, *(b"10" + body for body in HOSTILE)], close)


def _parts(scratch: Path) -> Parts:
    return assemble(
        Settings(
            data=scratch / "data",
            rules=TICKETS / "rules.toml",
            roles=TICKETS / "roles.toml",
            api=ApiSettings(key=SecretStr(KEY), threads=1, max_open_jobs=2),
        )
    )


def _put_model(parts: Parts) -> None:
    """Let a model `m` answer, on an encoder that counts three words."""
    encoders = parts.directory.encoders
    encoder = counting_encoder(encoders)
    fields = {
        "version": "v1", "created_at": datetime(2026, 1, 2, tzinfo=UTC), "roles": ROLES, "multi_label": False,
        "trainer": "frozen", "base_model": "counting", "encoder": encoder, "tuned": False, "seed": 0, "tickets": {},
    }  # fmt: skip
    head = Head(np.eye(3, dtype=np.float32), np.zeros(3, dtype=np.float32))
    registry = Registry(parts.directory.api_models / "m", encoders)
    write(registry.folder("v1"), Manifest.model_validate(fields), head, {"temperature": np.ones(1)}, encoders / encoder)
    registry.activate("v1", "put there")
