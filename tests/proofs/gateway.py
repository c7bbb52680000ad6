"""A gateway between Rolecall and a ticketing system, which ends Rolecall's process around a chosen request."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self

import httpx

Moment = Literal["before", "after"]
"""Before the request reaches the system, or after the system carried it out and before its answer arrives."""


class Gateway:
    """Passes requests on to `target`. `strike` ends a process, once, at the first request that `hits` chooses."""

    def __init__(self, target: str) -> None:
        self.requests: list[str] = []
        """Method and path of what was passed on."""
        self.struck = threading.Event()
        self._blow: tuple[Callable[[str], bool], Moment, int] | None = None
        client = self._client = httpx.Client(base_url=target, timeout=60, trust_env=False)
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                what = f"{self.command} {self.path}"
                blow = gateway._blow if gateway._blow and gateway._blow[0](what) else None
                if blow:
                    gateway._blow = None
                    if blow[1] == "before":
                        return gateway.end(blow[2])
                kept = {name: value for name, value in self.headers.items() if name.lower() not in DROPPED}
                answer = client.request(self.command, self.path, headers=kept, content=body)
                gateway.requests.append(what)
                if blow:
                    return gateway.end(blow[2])
                with suppress(OSError):
                    self.send_response(answer.status_code)
                    for name, value in answer.headers.items():
                        if name not in DROPPED:
                            self.send_header(name, value)
                    self.send_header("content-length", str(len(answer.content)))
                    self.end_headers()
                    self.wfile.write(answer.content)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.pass_on)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def strike(self, pid: int, moment: Moment, hits: Callable[[str], bool]) -> None:
        self.struck.clear()
        self._blow = hits, moment, pid

    def spare(self) -> None:
        """End nothing after all."""
        self._blow = None

    def end(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self.struck.set()

    def count(self, method: str) -> int:
        return sum(each.startswith(f"{method} ") for each in self.requests)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._client.close()


DROPPED = {"host", "content-length", "connection", "transfer-encoding", "content-encoding", "accept-encoding", "date"}
