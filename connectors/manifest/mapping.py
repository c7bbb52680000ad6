"""A system's JSON in our terms, by the expressions of its manifest: tickets and their messages. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from connectors.errors import MalformedPayload
from connectors.events import AuthorKind, Message, Ticket, Visibility
from connectors.manifest.expressions import Expression, TooCostly
from connectors.manifest.parts import Moment, WrittenComment
from connectors.manifest.system import System
from connectors.manifest.values import name_of, plain, text_of, texts_of, time_of, truth_of

MARK = re.compile(r"rolecall-[0-9a-f]{20}(?:-[0-9a-f]{16})?")
"""What a comment of ours bears: `agent.notes` makes it."""

LONGEST_NAME = 100
"""Characters of what somebody is called."""

_KINDS = {kind.value: kind for kind in AuthorKind}


def sought(expression: Expression | None, document: Any) -> Any:
    """Return what an expression yields, None without one. Raises MalformedPayload where it takes too long."""
    try:
        return None if expression is None else expression.search(document)
    except TooCostly as error:
        raise MalformedPayload(str(error)) from None


def holds(expression: Expression | None, document: Any) -> bool:
    """Return whether an expression holds; one that is not there does not."""
    try:
        return expression is not None and expression.holds(document)
    except TooCostly as error:
        raise MalformedPayload(str(error)) from None


def moment(where: Moment | None, document: Any) -> datetime | None:
    """Return a time in UTC, None where it is unknown."""
    return None if where is None else time_of(sought(where.at, document), where.time, utc=where.utc)


def to_message(where: WrittenComment, row: Any, system: System) -> Message | None:
    """Return what a row of the comment list says, None where it is no comment. Raises MalformedPayload."""
    if holds(where.skip, row):
        return None
    text = plain(sought(where.text, row), where.format)
    if text is None or not text.strip():
        return None
    number = sought(where.id, row)
    internal = truth_of(sought(where.internal, row))
    visibility = {True: Visibility.STAFF_ONLY, False: Visibility.PUBLIC, None: Visibility.UNKNOWN}[internal]
    kind = text_of(sought(where.author_kind, row)) or ""
    return Message(
        id=None if number is None else system.comment_id_of(number),
        author_id=name_of(sought(where.author, row)) or None,
        text=text,
        created_at=moment(where.created_at, row),
        author_kind=_KINDS.get(kind, AuthorKind.UNKNOWN),
        visibility=visibility,
        author_name=" ".join((text_of(sought(where.author_name, row)) or "").split())[:LONGEST_NAME] or None,
    )


def to_messages(rows: Sequence[Any], system: System) -> list[tuple[Message, Any]]:
    """Return the comments among rows, each once, oldest first where all name their time; else as they came."""
    found: dict[str, tuple[Message, Any]] = {}
    for index, row in enumerate(rows):
        message = to_message(system.manifest.comment, row, system)
        if message is not None:
            found.setdefault(message.id or f"#{index}", (message, row))
    listed = list(found.values())
    dated = [(message.created_at, index) for index, (message, _) in enumerate(listed)]
    if any(at is None for at, _ in dated):
        return listed
    return [listed[index] for _, index in sorted(dated, key=lambda each: (each[0], each[1]))]


def to_ticket(row: Any, comments: Sequence[Any], system: System) -> Ticket:
    """Return a ticket with its comments. Raises MalformedPayload where it has no id or subject."""
    where = system.manifest.ticket
    number = system.id_of(sought(where.id, row), "ticket")
    subject = text_of(sought(where.subject, row))
    if subject is None:
        raise MalformedPayload(f"ticket {number}: has no subject where [ticket] says it is")
    messages = [message for message, _ in to_messages(comments, system)]
    body = plain(sought(where.body, row), where.body_format)
    if where.first_comment_is_body and messages and not MARK.search(messages[0].text):
        first = messages.pop(0)
        body = first.text if where.body is None else body
    closed = is_closed(row, system)
    return Ticket(
        id=number,
        subject=subject,
        body=body or "",
        group=name_of(sought(where.group, row)),
        closed=closed,
        created_at=moment(where.created_at, row),
        closed_at=moment(where.closed_at, row) if closed else None,
        url=system.ticket_url(number),
        messages=tuple(messages),
        requester=name_of(sought(where.requester, row)) or None,
        assignee=name_of(sought(where.assignee, row)) or None,
        tags=texts_of(sought(where.tags, row), where.tags_separator),
        priority=name_of(sought(where.priority, row)),
        merged_into=name_of(sought(where.merged_into, row)) or None,
    )


def is_closed(row: Any, system: System) -> bool:
    """Return whether a ticket is in one of the closed statuses."""
    status = text_of(sought(system.manifest.ticket.status, row))
    return status is not None and status in system.closed
