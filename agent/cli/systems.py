"""`rolecall connectors show | setup | test`: kinds of systems, what to click in them, and what a delivery becomes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from agent.cli.console import Console
from agent.cli.options import CONFIG, ConfigOption

if TYPE_CHECKING:
    from connectors.events import Delivery, Event
    from connectors.manifest.catalogue import Example, Kind
    from connectors.manifest.system import System

Which = Annotated[str, typer.Argument(help="A connector of the settings, or a kind of system.")]
NO_ADDRESS = "https://YOUR-ROLECALL"
OWN_CODE = "{} has code of its own: see README.md and connectors/README.md"


def show(
    kind: Annotated[str | None, typer.Argument(help="A kind of system; without it, all are listed.")] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """List the kinds of systems that can be connected, or show what one can do and what has to be set for it."""
    from agent.config.manifests import FOLDER, all_kinds, beside, own_kinds
    from connectors.registry import CONNECTORS

    folder = beside(config, FOLDER)
    own = own_kinds(folder)
    for name in all_kinds(folder) if kind is None else []:
        if name in CONNECTORS:
            print_line(f"{name}: tried on a real server; {OWN_CODE.format('it')}")
            continue
        manifest = made_of(name, config).manifest
        place = f", from {folder / name}.toml" if name in own else ""
        heard = "webhooks" if manifest.receive else "no webhooks"
        polled = "polled" if manifest.poll else "not polled"
        print_line(f"{name}: {manifest.name}, {heard}, {polled}, tried {manifest.tried}{place}")
    if kind is not None:
        for line in _shown(kind, made_of(kind, config)):
            print_line(line)


def setup(name: Which, config: ConfigOption = CONFIG) -> None:
    """Print what to click in a system, the least rights of its account, and what to write into the settings."""
    kind = kind_named(name, config)
    made = made_of(kind, config)
    hook = made.hook("SECRET")
    address = None if hook is None else "/".join([f"{_public_url(config)}/hooks/{name}", *([hook] if hook else [])])
    print_line(f"{made.manifest.name} (tried {made.manifest.tried})")
    print_line(made.manifest.setup.strip().replace("{hook}", address or ""))
    print_line("")
    for line in _table(name, kind, made):
        print_line(line)


def try_(
    name: Which,
    payload: Annotated[Path | None, typer.Argument(help="The body of a delivery; without it, the examples.")] = None,
    segment: Annotated[str, typer.Option(help="What the webhook's address ends with, such as created.")] = "",
    header: Annotated[
        list[str] | None, typer.Option(metavar="HEADER", help='Such as "X-GitHub-Event: issues". May be repeated.')
    ] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Show which events a delivery becomes, and why no others. Its signature is not looked at."""
    from connectors.errors import Challenged, MalformedPayload
    from connectors.manifest.receiving import read_delivery

    kind = kind_named(name, config)
    made = made_of(kind, config)
    if payload is None:
        _run_examples(name, kind, made, config)
        return
    delivery = delivery_of(payload, segment, header or (), made)
    system, author = system_of(name, kind, made, config)
    try:
        reading = read_delivery(delivery, system, author)
    except Challenged as asked:
        print_line(f"no event: a challenge, answered 200 with {dict(asked.headers)} and {asked.content!r}")
        return
    except MalformedPayload as error:
        print_line(f"refused with 400: {error}")
        raise typer.Exit(1) from None
    for event in reading.events:
        print_line(_told(event))
    if not reading.events:
        print_line("no event: it is answered 200, and nothing is kept of it")
    for reason in reading.why:
        print_line(f"  {reason}")


def _run_examples(name: str, kind: str, made: Kind, config: Path) -> None:
    from agent.config.manifests import FOLDER, beside
    from agent.errors import BadInput, NotPossibleYet
    from connectors.manifest.catalogue import examples, examples_in

    own = beside(config, FOLDER) / "examples" / kind
    try:
        every = [*examples(kind), *examples_in(own)]
    except ValueError as error:
        raise BadInput(f"{own} holds a file that is no example: {error}") from None
    if not every:
        raise NotPossibleYet(f"{kind} comes without examples: `rolecall connectors record {name}` makes some")
    if False in [_run_example(kind, made, example) for example in every]:
        raise typer.Exit(1)


def _run_example(kind: str, made: Kind, example: Example) -> bool:
    from connectors.errors import Challenged, MalformedPayload
    from connectors.events import Delivery
    from connectors.manifest.receiving import read_delivery
    from connectors.manifest.system import bare

    path = f"secret/{example.segment}" if made.hook("secret") else example.segment
    delivery: Delivery = Delivery(example.headers, json.dumps(example.body).encode(), path)
    try:
        events = read_delivery(delivery, bare(kind, made.manifest, example.settings), example.author_id).events
    except Challenged:
        events = ()
    except MalformedPayload as error:
        print_line(f"FAIL {example.name}: refused with 400: {error}")
        return False
    found = [(event.kind.value, event.ticket_id, event.delivery_id) for event in events]
    right = len(found) == len(example.events) and all(map(_alike, found, example.events))
    said = ", ".join(_told(event) for event in events) or "no event"
    wanted = ", ".join(f"{kind} of ticket {ticket}, {name}" for kind, ticket, name in example.events) or "no event"
    print_line(f"ok   {example.name}: {said}" if right else f"FAIL {example.name}: {said}; it has to become {wanted}")
    return right


def _alike(found: tuple[str, str, str], expected: tuple[str, str, str]) -> bool:
    """Return whether an event is the expected one; HASH stands for the hash of the body."""
    return found[:2] == expected[:2] and (found[2] == expected[2] or expected[2].endswith("-HASH"))


def _told(event: Event) -> str:
    said = f', "{" ".join(event.message.text.split())[:60]}"' if event.message else ""
    return f"{event.kind} of ticket {event.ticket_id}, {event.delivery_id}{said}"


def _shown(kind: str, made: Kind) -> Iterator[str]:
    from connectors.manifest.system import capabilities

    manifest, can = made.manifest, capabilities(made.manifest)
    yield f"{kind}: {manifest.name}, tried {manifest.tried}"
    yield f"webhooks: {', '.join(proof.by for proof in manifest.receive.verify) if manifest.receive else 'none'}"
    yield f"polled: {'yes' if can.polls else 'no'}"
    yield f"our comment: {'hidden from the requester' if can.private_notes else 'seen by everybody on the ticket'}"
    yield f"edited in place: {'yes' if can.edits_comments else 'no: the newest says that it replaces the older'}"
    yield f"staff are known by: {can.staff_known_by}"
    yield from _table(kind, kind, made)


def _table(name: str, kind: str, made: Kind) -> Iterator[str]:
    """Yield what to write into the settings and the environment."""
    manifest, variable = made.manifest, name.upper().replace("-", "_")
    yield "In agent.toml:"
    yield f"  [connectors.{name}]"
    if kind != name:
        yield f'  kind = "{kind}"'
    yield '  url = "https://..."'
    for key, setting in manifest.settings.items():
        value = "..." if setting.default is None else setting.default
        yield f'  {"" if setting.default is None else "# "}{key} = "{value}"    # {setting.says}'
    yield "In .env, or another source of secrets:"
    for secret in (*manifest.secrets, *(["webhook_secrets"] if manifest.receive else [])):
        yield f"  ROLECALL_CONNECTORS__{variable}__{secret.upper()}=..."


def kind_named(name: str, config: Path) -> str:
    """Return the kind of the connector of this name, else the name itself."""
    table = _document(config).get("connectors", {})
    chosen = table.get(name) if isinstance(table, dict) else None
    return str(chosen.get("kind", name)) if isinstance(chosen, dict) else name


def _document(config: Path) -> dict[str, Any]:
    from agent.config.toml_file import read
    from agent.errors import SettingsError

    return dict(read(config, SettingsError, "--config").document) if config.is_file() else {}


def _public_url(config: Path) -> str:
    server = _document(config).get("server", {})
    return str(server.get("public_url") or NO_ADDRESS) if isinstance(server, dict) else NO_ADDRESS


def made_of(kind: str, config: Path) -> Kind:
    """Return a kind that a manifest describes. Raises BadInput and SettingsError."""
    from agent.config.manifests import FOLDER, all_kinds, beside, document_of
    from agent.errors import BadInput
    from connectors.manifest import catalogue
    from connectors.registry import CONNECTORS

    folder = beside(config, FOLDER)
    if kind in CONNECTORS:
        raise BadInput(OWN_CODE.format(kind))
    document = document_of(kind, folder)
    if document is None and kind not in catalogue.presets():
        raise BadInput(f"there is no connector and no kind {kind!r}; kinds are {', '.join(all_kinds(folder))}")
    return catalogue.kind_of(kind, catalogue.document_of(kind) if document is None else document)


def system_of(name: str, kind: str, made: Kind, config: Path) -> tuple[System, str]:
    """Return the system of a connector as it is set up, and our account there; of a kind as nobody has set it up."""
    from agent.config.loading import load
    from connectors.manifest.connector import ManifestConnector
    from connectors.manifest.system import bare

    if name in _document(config).get("connectors", {}):
        connector = load(config).connectors[name].connect(name)
        if isinstance(connector, ManifestConnector):
            return connector.system, connector.author_id
    return bare(kind, made.manifest, {}), ""


def delivery_of(payload: Path, segment: str, headers: Iterable[str], made: Kind) -> Delivery:
    """Return a delivery whose body is a file, as it comes to the kind's address. Raises BadInput."""
    from agent.errors import BadInput
    from connectors.events import Delivery

    try:
        body = payload.read_bytes()
    except OSError as error:
        raise BadInput(f"{payload} cannot be read: {error.strerror}") from None
    path = f"secret/{segment}" if made.hook("secret") else segment
    return Delivery(dict(_header_of(each) for each in headers), body, path)


def _header_of(text: str) -> tuple[str, str]:
    """Return name and value of a header. Raises BadInput."""
    from agent.errors import BadInput

    name, colon, value = text.partition(":")
    if not colon:
        raise BadInput(f'{text!r} is no header: write it as "X-GitHub-Event: issues"')
    return name.strip().lower(), value.strip()


def print_line(line: str) -> None:
    """Print a line as it is."""
    Console(highlight=False, soft_wrap=True).print(escape(line))
