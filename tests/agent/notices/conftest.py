"""A service that takes notices, as a real server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

TOKEN = "a-token-that-nobody-sees"


@dataclass
class Receiver:
    """What arrived, oldest first. It answers with `status`."""

    port: int = 0
    status: int = 200
    messages: list[dict[str, Any]] = field(default_factory=list)

    def address(self, scheme: str = "json") -> str:
        return f"{scheme}://user:{TOKEN}@127.0.0.1:{self.port}/{TOKEN}"

    @property
    def texts(self) -> list[str]:
        return [message["message"] for message in self.messages]


@pytest.fixture(scope="session")
def service() -> Iterator[Receiver]:
    """Run one server for all tests; what sends to it is imported before, for that takes seconds of a busy machine."""
    import apprise  # noqa: F401

    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if receiver.status == 200:
                receiver.messages.append(json.loads(body))
            self.send_response(receiver.status)
            if receiver.status == 307:
                self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield receiver
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def receiver(service: Receiver) -> Receiver:
    """Return the server, which takes everything and has nothing yet."""
    service.status, service.messages = 200, []
    return service
