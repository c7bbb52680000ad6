"""Make a fixture of a real delivery: what its rules read, with nothing in it that says who, where or what. Pure.

Kept are the parts that the manifest has names for, its own words and numbers (`opened`, `5`), what is true or false,
and times. All other words and numbers are replaced by others of the same shape, each always by the same, so that ids
agree and keep their form; texts become a fixed sentence. What the manifest has no name for is left out.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from connectors.deliveries import read_json
from connectors.errors import MalformedPayload
from connectors.events import Delivery, Event
from connectors.manifest.expressions import Expression
from connectors.manifest.model import Manifest
from connectors.manifest.receiving import event_segment, read_delivery
from connectors.manifest.system import System

SENTENCE = "The pump hums and leaks."
"""What stands for any text."""
LEFT_OUT = "left_out"
"""What stands for all of a table none of whose parts has a name: it is not empty."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?( ?(Z|UTC|[+-]\d\d:?\d\d))?")
_HEX = re.compile(r"(?=.*[0-9])(?=.*[a-f])[0-9a-f]{4,}(-[0-9a-f]{4,})*")
_WORD = re.compile(r"[^\W_]+")
_IDS = re.compile(r"[^\s<>@]{1,100}")
_UPPER, _LOWER = "ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghjkmnopqrstuvwxyz"
_MOST_TURNS = 500


class NotRecordable(ValueError):
    """Without what may not be kept, the delivery does not become the same events."""


class Redactor:
    """Replaces what may not be kept, for one run: `key` is random and forgotten, so that nothing can be turned back."""

    def __init__(self, manifest: Manifest, key: bytes) -> None:
        leaves = [leaf for expression in _expressions(manifest) for leaf in _leaves(expression.parsed)]
        self.names = frozenset(str(value) for kind, value in leaves if kind == "field")
        self._kept = frozenset(str(value) for kind, value in leaves if kind == "literal" and value not in (None, ""))
        self._key, self._given = key, dict[tuple[str, bool], str]()

    def value(self, value: Any) -> Any:
        """Return a part of a body, without what may not be kept."""
        if isinstance(value, dict):
            kept = {key: self.value(inner) for key, inner in value.items() if key in self.names}
            return kept or dict.fromkeys([LEFT_OUT][: len(value)], True)
        if isinstance(value, list):
            return [self.value(inner) for inner in value]
        if value is None or isinstance(value, bool) or str(value) in self._kept:
            return value
        if isinstance(value, int):
            return int(self._word(str(abs(value)), hexadecimal=False))
        return 0.5 if isinstance(value, float) else self.text(str(value))

    def text(self, text: str) -> str:
        """Return what stands for a text: its words replaced where it can be an id, else a sentence."""
        if not text or text in self._kept or _TIME.fullmatch(text):
            return text
        if not _IDS.fullmatch(text):
            return SENTENCE
        hexadecimal = _HEX.fullmatch(text) is not None
        return _WORD.sub(lambda found: self._word(found[0], hexadecimal=hexadecimal), text)

    def _word(self, word: str, *, hexadecimal: bool) -> str:
        """Return a word of the same shape, always the same for one word, and not the same for two."""
        turn, known = 0, (word, hexadecimal)
        while known not in self._given:
            made = self._shaped(word, turn, hexadecimal=hexadecimal) + ("9" * (turn // _MOST_TURNS))
            if made != word and made not in self._given.values():
                self._given[known] = made
            turn += 1
        return self._given[known]

    def _shaped(self, word: str, turn: int, *, hexadecimal: bool) -> str:
        digest = hmac.new(self._key, f"{turn} {word}".encode("utf-8", "surrogatepass"), hashlib.sha512).digest()
        made = []
        for at, letter in enumerate(word):
            alphabet = _UPPER if letter.isupper() else _LOWER
            if hexadecimal:
                alphabet = "0123456789abcdef"
            elif letter.isdecimal():
                alphabet = "0123456789" if at else "123456789"
            made.append(alphabet[digest[at % len(digest)] % len(alphabet)])
        return "".join(made)


def example_of(delivery: Delivery, system: System, author_id: str, redactor: Redactor) -> dict[str, Any]:
    """Return a fixture as `examples/` have them. Raises Challenged, MalformedPayload and NotRecordable."""
    receive, manifest = system.manifest.receive, system.manifest
    if receive is None:
        raise NotRecordable(f"{manifest.name} sends no webhooks that Rolecall reads: it is polled")
    was = read_delivery(delivery, system, author_id).events
    segment = redactor.text(event_segment(receive, delivery.segment))
    made: dict[str, Any] = {
        "headers": {name: redactor.text(value) for name, value in delivery.headers.items() if name in redactor.names},
        "segment": segment,
        "settings": {
            name: redactor.text(str(value))
            for name, value in system.shown.items()
            if name in manifest.settings and name in redactor.names
        },
        "author_id": redactor.text(author_id),
        "body": redactor.value(read_json(delivery.body)),
    }
    now = _events(made, system)
    if [event.kind for event in now] != [event.kind for event in was]:
        raise NotRecordable(
            f"it becomes {_told(was)}, and {_told(now)} without what [receive], [ticket] and [comment] do not name"
        )
    digest = hashlib.sha256(json.dumps(made["body"]).encode()).hexdigest()[:16]
    events = [
        {"kind": event.kind.value, "ticket": event.ticket_id, "id": event.delivery_id.replace(digest, "HASH")}
        for event in now
    ]
    return {key: value for key, value in made.items() if key == "body" or value} | {"events": events}


def _events(made: dict[str, Any], system: System) -> tuple[Event, ...]:
    """Return the events that a fixture becomes."""
    receive = system.manifest.receive
    in_path = receive is not None and any(proof.by == "path" for proof in receive.verify)
    path = f"secret/{made['segment']}" if in_path else made["segment"]
    values = {**system.values, **made["settings"]}
    redacted = System(system.kind, system.manifest, values, system.closed, system.ids)
    try:
        body = json.dumps(made["body"]).encode()
        return read_delivery(Delivery(made["headers"], body, path), redacted, made["author_id"]).events
    except MalformedPayload as error:
        raise NotRecordable(f"nothing is left of it that could be kept: {error}") from None


def _told(events: tuple[Event, ...]) -> str:
    return ", ".join(event.kind.value for event in events) or "no event"


def _expressions(part: Any) -> Iterator[Expression]:
    """Yield all expressions of a manifest."""
    if isinstance(part, Expression):
        yield part
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from _expressions(getattr(part, name))
    elif isinstance(part, tuple | list):
        for inner in part:
            yield from _expressions(inner)


def _leaves(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield the names and the values that stand in a parsed expression, as ("field", name) and ("literal", value)."""
    if node["type"] == "field":
        yield "field", node["value"]
    if node["type"] == "literal":
        values = node["value"] if isinstance(node["value"], list) else [node["value"]]
        yield from (("literal", value) for value in values if not isinstance(value, dict | list))
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _leaves(child)
