"""Check that the server can listen where it should, or does already."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

from agent.checks.finding import Finding, fail, ok
from agent.checks.installation import Installation
from agent.web.running import answers


def address(installation: Installation) -> Iterator[Finding]:
    """Yield whether the address is free, or taken by the server of this very installation."""
    server = installation.settings.server
    where = f"{server.host}:{server.port} (settings server.host and server.port)"
    running = installation.directory.served_at()
    if running is not None and answers(running):
        yield ok("server", f"runs at {running}")
        return
    problem = _problem(server.host, server.port)
    yield fail("server", f"cannot listen on {where}: {problem}") if problem else ok("server", f"can listen on {where}")


def _problem(host: str, port: int) -> str | None:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return "another program listens there; choose another, or end that one"
        return error.strerror or type(error).__name__
    return None
