"""The HTTP server: uvicorn, with bounds on what a client may send and on how long it may keep us waiting."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from agent.config.settings import Settings
from agent.web.protection import Patience, WaitingRoom, limited, raise_descriptor_limit

DRAIN_SECONDS = 5
"""How long requests may go on after the signal to stop; then they are cancelled."""

GONE_SECONDS = 14
"""After so long the kernel ends the process, whatever holds it: what was acknowledged is stored, and the next start
goes on with it."""

BODY_SLACK_SECONDS = 5.0
"""What is left, after a body's own time, for answering that it came too slowly."""


class Server(uvicorn.Server):
    """uvicorn's server, which is gone GONE_SECONDS after the signal to stop, and tells the port once it listens."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[int], None] = lambda port: None) -> None:
        super().__init__(config)
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, listen, and tell so."""
        await super().startup(sockets)
        if self.started:
            self._on_listening(self.servers[0].sockets[0].getsockname()[1])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; the first signal sets the time at which everything ends."""
        if not self.should_exit:
            signal.alarm(GONE_SECONDS)
        super().handle_exit(sig, frame)


def make_server(app: ASGIApp, settings: Settings, on_listening: Callable[[int], None] = lambda port: None) -> Server:
    """Return the server of an application; `on_listening` is called with its port."""
    body = max(settings.intake.body_timeout_seconds, settings.api.body_timeout_seconds) + BODY_SLACK_SECONDS
    room = WaitingRoom(Patience(body=body), raise_descriptor_limit())
    config = uvicorn.Config(
        app,
        host=settings.server.host,
        port=settings.server.port,
        loop="uvloop",
        http=limited(settings.server, room),
        ws="none",  # nothing here speaks it, and its handshake would have no bounds
        timeout_graceful_shutdown=DRAIN_SECONDS,
        log_config=None,
        access_log=False,  # its lines hold the secret of a webhook's URL; ours do not
        server_header=False,
    )
    return Server(config, on_listening)
