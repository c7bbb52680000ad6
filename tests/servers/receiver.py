"""A real, small webhook receiver that keeps what arrives and can hang up on the sender."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from connectors.django_helpdesk import DjangoHelpdesk
from connectors.events import Delivery, Event, Kind


class Receiver:
    """Listens on a free loopback port; `deliveries` grows as webhooks arrive."""

    def __init__(self, secret: str) -> None:
        self.deliveries: list[Delivery] = []
        self.hang_up = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.deliveries.append(Delivery(headers, body, segment=self.path.rpartition("/")[2]))
                if outer.hang_up:
                    self.close_connection = True
                    return
                self.send_response(202)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks/django-helpdesk/{secret}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, count: int, seconds: float = 10) -> list[Delivery]:
        """Return the deliveries once there are `count` of them."""
        deadline = time.monotonic() + seconds
        while len(self.deliveries) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.deliveries) >= count, f"{len(self.deliveries)} webhooks came, expected {count}"
        return list(self.deliveries)


def of_kinds(events: Sequence[Event]) -> list[tuple[Kind, str]]:
    """Return what happened, without the details."""
    return [(event.kind, event.delivery_id) for event in events]


def webhook_events(connector: DjangoHelpdesk, receiver: Receiver) -> list[Event]:
    """Verify and parse all that was received so far."""
    events: list[Event] = []
    for delivery in list(receiver.deliveries):
        connector.verify(delivery)
        events += connector.parse(delivery)
    return events
