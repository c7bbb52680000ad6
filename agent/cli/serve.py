"""`rolecall serve`: receive webhooks, comment on tickets, train at night."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import CONFIG, ConfigOption, DataOption, begun, reload_for

if TYPE_CHECKING:
    from types import FrameType

    from agent.config.settings import Settings
    from agent.core import Installation
    from agent.door import Behind, Door
    from agent.web.server import Server as HttpServer


def serve(
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="setting server.host")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", show_default="setting server.port")] = None,
) -> None:
    """Run the webhook receiver, the worker and the nightly schedule until SIGTERM or Ctrl-C.

    Stopping is safe at any time: acknowledged events are kept, and unfinished work is done after the next start.
    """
    spare_collector()
    from agent.core import connect
    from agent.door import Door
    from agent.model_api.keys import issue
    from agent.web.running import local_url
    from agent.web.server import make_server

    given = {"server__host": host, "server__port": port}
    here = begun(config, data, level=logging.INFO, **given)
    settings, directory, database = here.settings, here.directory, here.database
    with directory.serving() as note_address:
        directory.tighten()
        if settings.api.key is None and (key := issue(directory.api_key)):
            show_key(key, directory.first_key)
        reload = reload_for(config, data, **given)
        door = Door(settings, directory, database, connect(settings, database), reload)

        def listening(port: int) -> None:
            url = local_url(settings.server.host, port)
            note_address(url)
            announce(settings, url)
            show_first_link(here, url)

        run(make_server(door.opening(lambda: behind(door, here, config)), settings, listening))


def behind(door: Door, here: Installation, config: Path) -> Behind:
    """Load the rest of the server."""
    from agent.app import Server  # a second of CPU: webhooks are taken in meanwhile
    from agent.core import loaded
    from agent.learning.due import NIGHTLY

    places = ["--config", str(config), "--data", str(here.directory.path)]
    server = Server(door, loaded(here), [sys.executable, "-m", "agent.cli", "train", "--trigger", NIGHTLY, *places])
    spare_collector()
    return server


def show_key(key: str, file: Path) -> None:
    """Show the first key of the API at the terminal; without one, leave it in a file: no log may hold it."""
    if sys.stderr.isatty():
        typer.echo(f"API key, shown this once (set API_KEY to choose your own): {key}", err=True)
        return
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as written:
        written.write(f"{key}\n")
    _log("first_api_key", key_is_in=str(file), next="read it, then delete the file")


def announce(settings: Settings, url: str) -> None:
    """Print where the server is reached: in words at a terminal, in one event where the log is for machines."""
    from agent.web.greeting import greeting, webhooks

    if settings.log_format == "json":
        _log("listening", address=url, webhooks=webhooks(settings, url))
        return
    for line in greeting(settings, url):
        typer.echo(line, err=True)


def show_first_link(here: Installation, url: str) -> None:
    """Show the one-time link for the first account at the terminal; without one, leave it in a file of mode 0600."""
    from agent.pages.signing import first

    link = first.link(here.database, here.settings.server.public_url or url)
    file, terminal = here.directory.first_account, sys.stderr.isatty()
    first.leave(file, None if terminal else link)
    if link is not None and terminal:
        typer.echo(f"make the first account, an operator's, with this link (once, within 7 days): {link}", err=True)
    elif link is not None:
        _log("first_account", link_is_in=str(file))


def _log(event: str, **told: object) -> None:
    import structlog  # it takes as long as Typer, and every command imports this file

    structlog.get_logger().info(event, **told)


def run(server: HttpServer) -> None:
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
    """Exempt what was loaded so far from garbage collection, and run it less often for the rest.

    With the defaults, collection took 18 of the 180 microseconds of an acknowledgement, and a tenth of the start.
    """
    gc.freeze()
    gc.set_threshold(10_000, 50, 50)
