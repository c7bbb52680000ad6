"""`rolecall connectors record`: write real deliveries as fixtures, without secrets, names, addresses and texts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.options import CONFIG, ConfigOption
from agent.cli.systems import Which, delivery_of, kind_named, made_of, print_line, system_of

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from connectors.base import Connector
    from connectors.events import Delivery

Keep = Callable[["Delivery"], str]
"""Writes a delivery down, and returns a line that says as what, or why not."""


def record(
    name: Which,
    payload: Annotated[
        Path | None, typer.Argument(help="The body of a delivery; without it, deliveries are listened for.")
    ] = None,
    segment: Annotated[str, typer.Option(help="What the webhook's address ends with, such as created.")] = "",
    header: Annotated[
        list[str] | None, typer.Option(metavar="HEADER", help='Such as "X-GitHub-Event: issues". May be repeated.')
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="End after so many deliveries.")] = 20,
    config: ConfigOption = CONFIG,
) -> None:
    """Write deliveries as fixtures for `test`, in connectors/examples/KIND beside the settings.

    Without a payload it listens where the server does, until Ctrl-C: stop the server before, and do meanwhile in the
    system what is to be recorded. Nothing is done about the deliveries: the poll finds what happened.
    """
    from agent.config.manifests import FOLDER, beside
    from agent.errors import NotPossibleYet
    from connectors.errors import Challenged, MalformedPayload
    from connectors.manifest.redacting import NotRecordable, Redactor, example_of

    kind = kind_named(name, config)
    made = made_of(kind, config)
    system, author = system_of(name, kind, made, config)
    folder = beside(config, FOLDER) / "examples" / kind
    redactor = Redactor(made.manifest, os.urandom(32))

    def kept(delivery: Delivery) -> Path:
        return _written(folder, example_of(delivery, system, author, redactor))

    if payload is None:
        _listen(name, config, count, kept)
        return
    delivery = delivery_of(payload, segment, header or (), made)
    try:
        file = kept(delivery)
    except (Challenged, MalformedPayload, NotRecordable) as error:
        raise NotPossibleYet(
            f"{payload} is not recorded: {error}. `rolecall connectors test {name} {payload}` shows what it becomes"
        ) from None
    print_line(f"{file}: read it before you give it away, and try it: rolecall connectors test {name}")


def _written(folder: Path, example: dict[str, Any]) -> Path:
    """Write a fixture under a name that is free: what it becomes, and a number."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = example["events"][0]["kind"] if example["events"] else "nothing"
    text = json.dumps(example, indent=2, ensure_ascii=False) + "\n"
    for number in range(1, 10_000):
        try:
            with (folder / f"{stem}_{number}.json").open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        return Path(file.name)
    raise FileExistsError(f"{folder} is full of {stem}_*.json")


def _listen(name: str, config: Path, count: int, kept: Callable[[Delivery], Path]) -> None:
    """Record the authentic deliveries that arrive where the server would get them."""
    from agent.cli.serve import run
    from agent.config.loading import load
    from agent.errors import BadInput
    from agent.web.server import make_server
    from connectors.errors import MalformedPayload
    from connectors.manifest.redacting import NotRecordable

    settings = load(config)
    chosen = settings.connectors.get(name)
    if chosen is None:
        raise BadInput(f"{name} is no connector of {config}: without its secrets nobody knows what is authentic")
    written = list[Path]()

    def keep(delivery: Delivery) -> str:
        try:
            written.append(kept(delivery))
        except (MalformedPayload, NotRecordable) as error:
            return f"not recorded: {error}"
        server.should_exit = server.should_exit or len(written) >= count
        return str(written[-1])

    app = recorder(name, chosen.connect(name), keep, settings.server.public_url)
    server = make_server(
        app, settings, lambda port: print_line(f"listening on port {port} for {chosen.hook(name)}; Ctrl-C ends it")
    )
    with suppress(KeyboardInterrupt):
        run(server)
    print_line(f"{len(written)} recorded; start the server again, and try them: rolecall connectors test {name}")


def recorder(name: str, connector: Connector, keep: Keep, public_url: str | None = None) -> Starlette:
    """Return an application that keeps authentic deliveries and answers 200, and 401 to all others.

    A challenge is answered as the server does: the system would send nothing else.
    """
    from starlette.applications import Starlette
    from starlette.datastructures import Headers
    from starlette.exceptions import HTTPException
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    from agent.config.settings import IntakeSettings
    from agent.door import HOOKS, there
    from agent.intake.receive import delivery_of, read_body
    from connectors.errors import Challenged, InvalidSignature

    async def hook(request: Request) -> Response:
        headers = Headers(scope=request.scope)
        body = await read_body(headers, request.receive, IntakeSettings())
        delivery = delivery_of(request.scope, headers, body, public_url)
        try:
            connector.verify(delivery)
        except InvalidSignature as error:
            raise HTTPException(401, "not authentic") from error
        try:
            print_line(keep(delivery))
        except Challenged as asked:
            print_line(f"{asked}: answered, and not recorded")
            return Response(asked.content, 200, asked.headers)
        return PlainTextResponse("recorded\n")

    paths = [path.replace("{source}", name) for path in HOOKS]
    answers = [("POST", hook), ("HEAD", there)]
    return Starlette(routes=[Route(path, answer, methods=[method]) for method, answer in answers for path in paths])
