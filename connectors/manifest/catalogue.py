"""The manifests that are shipped, and how any manifest becomes a kind of connector."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from connectors.manifest.connector import ManifestConnector
from connectors.manifest.model import Manifest
from connectors.manifest.placeholders import names
from connectors.manifest.settings import RESERVED, settings_type

KeyPath = tuple[str | int, ...]

OURS = {"connection", "date", "location", "server", "set-cookie", "transfer-encoding"}
"""Headers of an answer that a system has no say in; nor in what its content is, or which pages may read it."""

_PRESETS = files("connectors") / "presets"
_WANTED = {
    "read": {"ticket"},
    "post": {"ticket", "text"},
    "edit": {"comment", "text"},
    "remove": {"comment"},
    "assign": {"ticket", "group"},
    "tag": {"ticket", "tag"},
    "subject": {"ticket", "subject"},
    "description": {"ticket", "description"},
}
"""What stands for something that a request cannot do without."""


@dataclass(frozen=True, slots=True)
class Example:
    """A recorded delivery of a system, as sent, and the events that it has to become: kind, ticket and id of each."""

    name: str
    headers: Mapping[str, str]
    segment: str
    body: Any
    events: tuple[tuple[str, str, str], ...]
    settings: Mapping[str, str]
    """What the operator has set, as far as it matters."""
    author_id: str = ""
    """Our account, where it matters."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of system, made of its manifest."""

    manifest: Manifest
    settings: type[Any]
    connect: partial[ManifestConnector]

    def hook(self, secret: str) -> str | None:
        """Return what stands in a webhook's address behind the connector's name; None where there are no webhooks."""
        receive = self.manifest.receive
        if receive is None:
            return None
        return secret if any(proof.by == "path" for proof in receive.verify) else ""


class FaultyManifest(ValueError):
    """Faults that are not of one key alone: by the path of their key."""

    def __init__(self, faults: list[tuple[KeyPath, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{'.'.join(map(str, path))}: {message}" for path, message in faults))


def presets() -> list[str]:
    """Return the names of the shipped manifests."""
    return sorted(each.name.removesuffix(".toml") for each in _PRESETS.iterdir() if each.name.endswith(".toml"))


def document_of(name: str) -> dict[str, Any]:
    """Return a shipped manifest as it is written."""
    return tomllib.loads((_PRESETS / f"{name}.toml").read_text("utf-8"))


def examples(name: str) -> Iterator[Example]:
    """Yield the examples of a shipped manifest."""
    yield from examples_in(_PRESETS / "examples" / name)


def examples_in(folder: Traversable) -> Iterator[Example]:
    """Yield the examples in a folder. Raises ValueError, which names the file, for another one."""
    for file in sorted(folder.iterdir(), key=lambda each: each.name) if folder.is_dir() else ():
        try:
            yield _example(file.name.removesuffix(".json"), json.loads(file.read_text("utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError):
            form = '{"body": {...}, "events": [{"kind": "created", "ticket": "7", "id": "ticket-7"}]}'
            raise ValueError(f"{file.name}: has to be as {form}") from None


def _example(name: str, raw: Any) -> Example:
    return Example(
        name,
        {key.lower(): value for key, value in raw.get("headers", {}).items()},
        raw.get("segment", ""),
        raw["body"],
        tuple((each["kind"], each["ticket"], each["id"]) for each in raw["events"]),
        raw.get("settings", {}),
        raw.get("author_id", ""),
    )


def kind_of(name: str, document: Mapping[str, Any]) -> Kind:
    """Return what a manifest describes. Raises ValidationError and FaultyManifest, which name the keys at fault.

    The same document gives the same kind, so that its settings can be compared after they were read again.
    """
    return _kind(name, json.dumps(document, default=str))


@lru_cache(maxsize=256)
def _kind(name: str, document: str) -> Kind:
    written = json.loads(document)
    manifest = Manifest.model_validate(written)
    if found := list(_faults(written, manifest)):
        raise FaultyManifest(found)
    settings = settings_type(manifest)
    return Kind(manifest, settings, partial(_connect, name, manifest))


def _connect(kind: str, manifest: Manifest, source: str, settings: Any) -> ManifestConnector:
    return ManifestConnector(kind, source, manifest, settings)


def _faults(document: Mapping[str, Any], manifest: Manifest) -> Iterator[tuple[KeyPath, str]]:
    """Yield the placeholders that stand for nothing, and names that are taken."""
    own = {*manifest.secrets, *manifest.settings, "url"}
    for at, name in [(("secrets",), name) for name in manifest.secrets] + [
        (("settings", name), name) for name in manifest.settings
    ]:
        if name in RESERVED:
            yield at, f"{name!r} is the name of something else"
    challenge = manifest.receive.challenge if manifest.receive else None
    for name in challenge.headers if challenge else ():
        if name in OURS or name.startswith(("content-", "access-control-")):
            yield ("receive", "challenge", "headers"), f"{name}: no system may set it in our answer"
    about = {
        ("ticket_page",): {"url", "ticket"},
        ("api",): set[str](),
        ("check",): set[str](),
        ("read",): {"ticket"},
        ("post",): {"ticket", "text", "me", "now"},
        ("edit",): {"ticket", "comment", "text", "me", "now"},
        ("remove",): {"ticket", "comment", "me", "now"},
        ("assign",): {"ticket", "group", "me", "now"},
        ("tag",): {"ticket", "tag", "tags", "me", "now"},
        ("subject",): {"ticket", "subject", "me", "now"},
        ("description",): {"ticket", "description", "me", "now"},
        ("groups",): set[str](),
        ("tags",): set[str](),
        ("moves",): {"ticket"},
        ("poll",): {"since", "now"},
        ("history",): {"since", "now"},
    }
    for asked, wanted in _WANTED.items():
        there = {
            key: value for key, value in (document.get(asked) or {}).items() if key not in ("comments", "also", "more")
        }
        for name in sorted(wanted - {*names(there), *_tagged(there)} if there else ()):
            yield (asked,), f"{{{name}}} stands nowhere in it"
    for table, more in about.items():
        value = document.get(table[0])
        more = more | _steps(value)
        for path, text in _texts(value, table):
            known = own | more | _of_a_list(document, path) | _of_a_log_in(manifest, path)
            for name in sorted({*names(text)} - known):
                known_here = ", ".join(sorted(known))
                yield path, f"{{{name}}} stands for nothing here; known: {known_here}; as mere text: {{ {name} }}"


def _tagged(table: Any) -> set[str]:
    """Return what `{tags}` stands in for: the tag is one of them."""
    return {"tag"} if "tags" in names(table) else set()


def _steps(table: Any) -> set[str]:
    """Return what the requests before that of a table find."""
    return {step["name"] for step in table.get("steps", ())} if isinstance(table, dict) else set()


def _of_a_log_in(manifest: Manifest, path: KeyPath) -> set[str]:
    has_token = manifest.api.auth.by in ("login", "oauth2")
    placed = path[:2] in (("api", "headers"), ("api", "query")) or path == ("api", "auth", "value")
    return {"session"} if has_token and placed else set()


def _of_a_list(document: Any, path: KeyPath) -> set[str]:
    """Return what stands for something in the requests of a list, and in those that read its rows one by one."""
    if "each" in path or path[:2] == ("read", "more"):
        return {"item"}
    found = set[str]()
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
        page = document.get("page") if isinstance(document, dict) else None
        found |= {"page"} if isinstance(page, dict) and page.get("in") == "text" else set()
    return found


def _texts(value: Any, at: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*at, index))
    elif isinstance(value, str):
        yield at, value
