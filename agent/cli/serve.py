"""`rolecall serve`: receive webhooks, comment on tickets, train at night."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for, reload_for

if TYPE_CHECKING:
    from types import FrameType

    from agent.config.settings import Settings
    from agent.core import Parts
    from agent.web.server import Server


def serve(
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. [default: setting server.host]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. [default: setting server.port]")] = None,
) -> None:
    """Run the webhook receiver, the worker and the nightly schedule until SIGTERM or Ctrl-C.

    Stopping is safe at any time: acknowledged events are kept, and unfinished work is done after the next start.
    """
    from agent.app import create_app
    from agent.core import connect
    from agent.learning.due import NIGHTLY
    from agent.model_api.web.access import issue
    from agent.web.running import local_url
    from agent.web.server import make_server

    given = {"server__host": host, "server__port": port}
    parts = parts_for(config, data, level=logging.INFO, **given)
    places = ["--config", str(config), "--data", str(parts.directory.path)]
    train = [sys.executable, "-m", "agent.cli", "train", "--trigger", NIGHTLY, *places]
    with parts.directory.serving() as note_address:
        parts.directory.tighten()
        if parts.settings.api.key is None and (key := issue(parts.directory.api_key)):
            show_key(key, parts.directory.first_key)
        app = create_app(parts, connect(parts.settings, parts.database), train, reload_for(config, data, **given))

        def listening(port: int) -> None:
            url = local_url(parts.settings.server.host, port)
            note_address(url)
            announce(parts.settings, url)
            show_first_link(parts, url)

        spare_collector()
        run(make_server(app, parts.settings, listening))


def show_key(key: str, file: Path) -> None:
    """Show the first key of the API at the terminal; without one, leave it in a file: no log may hold it."""
    if sys.stderr.isatty():
        typer.echo(f"API key, shown this once (set API_KEY to choose your own): {key}", err=True)
        return
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as written:
        written.write(f"{key}\n")
    structlog.get_logger().info("first_api_key", key_is_in=str(file), next="read it, then delete the file")


def announce(settings: Settings, url: str) -> None:
    """Print where the server is reached: in words at a terminal, in one event where the log is for machines."""
    from agent.web.greeting import greeting, webhooks

    if settings.log_format == "json":
        structlog.get_logger().info("listening", address=url, webhooks=webhooks(settings, url))
        return
    for line in greeting(settings, url):
        typer.echo(line, err=True)


def show_first_link(parts: Parts, url: str) -> None:
    """Show the one-time link for the first account at the terminal; without one, leave it in a file of mode 0600."""
    from agent.pages.signing import first

    link = first.link(parts.database, parts.settings.server.public_url or url)
    file, terminal = parts.directory.first_account, sys.stderr.isatty()
    first.leave(file, None if terminal else link)
    if link is not None and terminal:
        typer.echo(f"make the first account, an operator's, with this link (once, within 7 days): {link}", err=True)
    elif link is not None:
        structlog.get_logger().info("first_account", link_is_in=str(file))


def run(server: Server) -> None:
    """Serve until a signal ends it. Raises NotPossibleYet if it cannot start or listen."""
    from agent.errors import NotPossibleYet
    from agent.work.background import failures

    def hand_on(number: int, _frame: FrameType | None) -> None:
        """Die of the signal that uvicorn hands on once all is stopped, unless background work sent it: it failed."""
        if not failures:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    address = f"{server.config.host}:{server.config.port} (settings server.host and server.port)"
    signal.signal(signal.SIGTERM, hand_on)
    try:
        server.run()
    except SystemExit:  # uvicorn's way out, behind a line in the log
        raise NotPossibleYet(f"cannot listen on {address}: choose another, or end what listens there") from None
    if failures:
        raise failures[0]
    if not server.started:
        raise NotPossibleYet("the server could not start: the log says why; see `rolecall check`")


def spare_collector() -> None:
    """Exempt objects loaded at the start from garbage collection, and run it less often for the rest.

    With the defaults, collection took 18 of the 180 microseconds of an acknowledgement.
    """
    gc.freeze()
    gc.set_threshold(10_000, 50, 50)
