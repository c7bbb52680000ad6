"""The events in a delivery, by the rules of a manifest. Pure.

The first rule that fits decides; where it has a list, it decides for the elements that it fits, and the others are left
to later rules about the same list. An event's id is made of what happened, by convention, so that a webhook and a poll
that find the same give the same: `ticket-7`, `ticket-7-comment-12`, `ticket-7-closed-TIME`. Where a delivery names no
time, the hash of its body stands in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.deliveries import read_json
from connectors.errors import Challenged, MalformedPayload
from connectors.events import Delivery, Event, Kind, Message
from connectors.manifest.mapping import holds, moment, sought, to_message
from connectors.manifest.parts import Challenge, EventRule, Receive
from connectors.manifest.system import System
from connectors.manifest.values import name_of, text_of

MOST_EVENTS = 500
"""Events in one delivery."""

LONGEST_ANSWER = 2_000
"""Bytes in the answer to a challenge."""

_AS_TOLD = {"x-content-type-options": "nosniff"}  # of what a sender wants to hear, no browser makes a page


@dataclass(frozen=True, slots=True)
class Reading:
    """What a delivery tells: its events, and in words what each rule made of it."""

    events: tuple[Event, ...]
    why: tuple[str, ...]


def read_delivery(delivery: Delivery, system: System, author_id: str) -> Reading:
    """Return the events in a delivery, with the reasons. Raises MalformedPayload and Challenged."""
    receive = system.manifest.receive
    if receive is None:
        raise MalformedPayload(f"{system.manifest.name} sends no webhooks that Rolecall reads: it is polled")
    body = None if receive.challenge is not None and not delivery.body.strip() else read_json(delivery.body)
    document = {
        "body": body,
        "header": dict(delivery.headers),
        "query": dict(delivery.query),
        "segment": event_segment(receive, delivery.segment),
        "setting": system.shown,
    }
    if receive.challenge is not None and holds(receive.challenge.when, document):
        raise _challenged(receive.challenge, document)
    if not holds(receive.has, document):
        raise MalformedPayload(f"not a delivery of {system.manifest.name}: {receive.has.text} is not there")
    events, why, digest = list[Event](), list[str](), hashlib.sha256(delivery.body).hexdigest()[:16]
    each: str | None = None
    left = list[dict[str, Any]]()
    for number, rule in enumerate(receive.event, 1):
        if each is not None and (rule.each is None or rule.each.text != each):
            continue
        judged = [(one, holds(rule.when, one)) for one in (_about(rule, document) if each is None else left)]
        fitting = [one for one, fits in judged if fits]
        found = [event for one in fitting for event in _event(rule, one, system, author_id, digest)]
        events += found
        said = f"{len(found)} events" if found else "by our own account, or without words: nothing to do"
        why.append(f"rule {number} ({rule.kind}): {said if fitting else NOT_IT}")
        if fitting and rule.each is None:
            break
        if fitting and rule.each is not None:
            each, left = rule.each.text, [one for one, fits in judged if not fits]
        if each is not None and not left:
            break
    return Reading(tuple(events), tuple(why))


NOT_IT = "`when` does not hold"


def event_segment(receive: Receive, segment: str) -> str:
    """Return what the path says beside a secret."""
    return segment.partition("/")[2] if any(proof.by == "path" for proof in receive.verify) else segment


def _challenged(challenge: Challenge, document: dict[str, Any]) -> Challenged:
    """Return the answer to a challenge. Raises MalformedPayload for one that nobody would send."""
    headers = {name: text_of(sought(value, document)) or "" for name, value in challenge.headers.items()}
    body = sought(challenge.body, document)
    if any(not value.isascii() or not value.isprintable() for value in headers.values()):
        raise MalformedPayload("what the challenge wants in a header is nothing that one could carry")
    content = body.encode("utf-8", "replace") if isinstance(body, str) else json.dumps(body).encode()
    if sum(map(len, headers.values())) + len(content) > LONGEST_ANSWER:
        raise MalformedPayload("the challenge is too long")
    kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
    return Challenged({"content-type": kind, **headers, **_AS_TOLD}, content)


def _about(rule: EventRule, document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a rule is about: the delivery, or each element of its list in it."""
    if rule.each is None:
        return [document | {"item": None}]
    listed = sought(rule.each, document)
    return [document | {"item": item} for item in (listed[:MOST_EVENTS] if isinstance(listed, list) else ())]


def _event(rule: EventRule, document: dict[str, Any], system: System, author_id: str, digest: str) -> Iterator[Event]:
    ticket = system.id_of(sought(rule.ticket, document), "ticket")
    if author_id and name_of(sought(rule.actor, document)) == author_id:
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
