"""The events in a delivery, by the rules of a manifest. Pure.

The first rule that fits decides, for each element of its list where it has one. An event's id is made of what happened,
by convention, so that a webhook and a poll that find the same give the same: `ticket-7`, `ticket-7-comment-12`,
`ticket-7-closed-TIME`. Where a delivery names no time, the hash of its body stands in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.deliveries import read_json
from connectors.errors import MalformedPayload
from connectors.events import Delivery, Event, Kind, Message
from connectors.manifest.mapping import holds, moment, sought, to_message
from connectors.manifest.parts import EventRule, Receive
from connectors.manifest.system import System
from connectors.manifest.values import text_of

MOST_EVENTS = 500
"""Events in one delivery."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a delivery tells: its events, and in words what each rule made of it."""

    events: tuple[Event, ...]
    why: tuple[str, ...]


def read_delivery(delivery: Delivery, system: System, author_id: str) -> Reading:
    """Return the events in a delivery, with the reasons. Raises MalformedPayload."""
    receive = system.manifest.receive
    if receive is None:
        raise MalformedPayload(f"{system.manifest.name} sends no webhooks that Rolecall reads: it is polled")
    body = read_json(delivery.body)
    document = {
        "body": body,
        "header": dict(delivery.headers),
        "query": dict(delivery.query),
        "segment": event_segment(receive, delivery.segment),
        "setting": system.shown,
    }
    if not holds(receive.has, document):
        raise MalformedPayload(f"not a delivery of {system.manifest.name}: {receive.has.text} is not there")
    events, why = list[Event](), list[str]()
    digest = hashlib.sha256(delivery.body).hexdigest()[:16]
    for number, rule in enumerate(receive.event, 1):
        found, said = _of_rule(rule, document, system, author_id, digest)
        why.append(f"rule {number} ({rule.kind}): {said}")
        events += found
        if said != NOT_IT:
            break
    return Reading(tuple(events), tuple(why))


NOT_IT = "`when` does not hold"


def event_segment(receive: Receive, segment: str) -> str:
    """Return what the path says beside a secret."""
    return segment.partition("/")[2] if any(proof.by == "path" for proof in receive.verify) else segment


def _of_rule(
    rule: EventRule, document: dict[str, Any], system: System, author_id: str, digest: str
) -> tuple[list[Event], str]:
    items = [None]
    if rule.each is not None:
        listed = sought(rule.each, document)
        items = listed[:MOST_EVENTS] if isinstance(listed, list) else []
    about = [document | {"item": item} for item in items]
    fitting = [each for each in about if holds(rule.when, each)]
    if not fitting:
        return [], NOT_IT
    events = [event for each in fitting for event in _event(rule, each, system, author_id, digest)]
    return events, f"{len(events)} events" if events else "by our own account, or without words: nothing to do"


def _event(rule: EventRule, document: dict[str, Any], system: System, author_id: str, digest: str) -> Iterator[Event]:
    ticket = system.id_of(sought(rule.ticket, document), "ticket")
    if author_id and text_of(sought(rule.actor, document)) == author_id:
        return
    at, message = moment(rule.at, document), None
    if rule.comment is not None:
        message = to_message(rule.comment, document, system)
        if message is None or (author_id and message.author_id == author_id):
            return
        at = at or message.created_at
    given = text_of(sought(rule.id, document))
    yield Event(rule.kind, ticket, event_id(rule.kind, ticket, at, message, given or digest), at, message)


def event_id(kind: Kind, ticket: str, at: datetime | None, message: Message | None, otherwise: str) -> str:
    """Return the id of what happened, whoever tells it."""
    if kind is Kind.CREATED:
        return f"ticket-{ticket}"
    if message is not None and message.id is not None:
        edited = f"-{at.isoformat() if at else otherwise}" if kind is Kind.EDITED else ""
        return f"ticket-{ticket}-comment-{message.id}{edited}"
    return f"ticket-{ticket}-{kind}-{at.isoformat() if at else otherwise}"
