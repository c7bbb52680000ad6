"""RT's tickets and transactions in our terms, and the events that they tell of: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.deliveries import decode
from connectors.events import AuthorKind, Event, Kind, Message, Ticket, Visibility
from connectors.manifest.values import plain
from connectors.request_tracker.payload import Attachment, Sent, TicketRow, Transaction
from connectors.request_tracker.settings import RequestTrackerSettings

SAID = {"Comment": Visibility.STAFF_ONLY, "Correspond": Visibility.PUBLIC}
SYSTEM, NOBODY = "RT_System", "Nobody"

Staff = Mapping[str, bool]
"""By the name of a user, whether it is staff; those that are missing are unknown."""


def events_of_webhook(body: bytes, author_id: str, settings: RequestTrackerSettings) -> list[Event]:
    """Return the events in the body of a webhook. Raises MalformedPayload."""
    sent = decode(Sent, body)
    told = sent.data
    if told.creator == author_id:
        return []
    number, text = str(told.ticket), told.text or ""
    message = _message(told.transaction, sent.type, told.creator, text, told.created, {told.creator: told.staff})
    kind = kind_of(sent.type, told.old, told.new, settings)
    if kind is None or (kind is Kind.COMMENTED and message is None):
        return []
    return [event_of(kind, number, told.transaction, told.created, message)]


def events_of_history(
    ticket: Ticket, history: Sequence[Transaction], since: datetime, author_id: str, settings: RequestTrackerSettings
) -> list[Event]:
    """Return what happened to a ticket since a time, under the ids that webhooks give; ours tells nothing."""
    messages = {message.id: message for message in ticket.messages}
    events = []
    for row in history:
        kind = kind_of(what(row), row.OldValue, row.NewValue, settings)
        message = messages.get(str(row.id))
        late = row.Created is not None and row.Created >= since
        told = kind is not None and (kind is not Kind.COMMENTED or message is not None)
        # A move is told by its ids here: whoever compares two looks finds it, and the ticket's history keeps it.
        if late and told and kind is not None and kind is not Kind.MOVED and row.Creator.id != author_id:
            events.append(event_of(kind, ticket.id, row.id, row.Created, message, ticket))
    return events


def what(row: Transaction) -> str:
    """Return what a row of the history is about, by the name that our scrip gives it."""
    return (row.Field or "") if row.Type == "Set" else row.Type


def kind_of(name: str, old: str | None, new: str | None, settings: RequestTrackerSettings) -> Kind | None:
    """Return what has happened, None for what Rolecall does not handle."""
    if name == "Status":
        was, now = old in settings.closed, new in settings.closed
        return None if was == now else Kind.CLOSED if now else Kind.REOPENED
    known = {"Create": Kind.CREATED, "Queue": Kind.MOVED, "Subject": Kind.EDITED, **dict.fromkeys(SAID, Kind.COMMENTED)}
    return known.get(name)


def to_ticket(
    row: TicketRow,
    history: Sequence[Transaction],
    texts: Mapping[int, str],
    staff: Staff,
    settings: RequestTrackerSettings,
) -> Ticket:
    """Return a ticket with its messages; `texts` are those of its transactions, by their number."""
    body = next((texts.get(each.id, "") for each in history if each.Type == "Create"), "")
    said = (
        _message(each.id, each.Type, each.Creator.id, texts.get(each.id, ""), each.Created, staff) for each in history
    )
    fields = {field.name: field.values for field in row.CustomFields}
    closed = row.Status in settings.closed
    return Ticket(
        id=str(row.id),
        subject=row.Subject or "",
        body=body,
        group=row.Queue.Name,
        closed=closed,
        created_at=row.Created,
        closed_at=row.Resolved if closed else None,
        url=ticket_url(str(row.id), settings),
        messages=tuple(message for message in said if message is not None),
        requester=row.Requestor[0].id if row.Requestor else None,
        assignee=row.Owner.id if row.Owner is not None and row.Owner.id != NOBODY else None,
        tags=None if settings.tag_field is None else fields.get(settings.tag_field, ()),
        priority=row.Priority,
    )


def text_of(attachments: Sequence[Attachment]) -> str:
    """Return what a transaction says: its plain text where it has one, else its HTML as text."""
    for kind in ("text/plain", "text/html"):
        for each in attachments:
            if each.ContentType == kind and not each.Filename and (each.Content or "").strip():
                return plain(each.Content, "html" if kind == "text/html" else "plain") or ""
    return ""


def ticket_url(ticket_id: str, settings: RequestTrackerSettings) -> str:
    """Return the page of a ticket."""
    return f"{settings.url}/Ticket/Display.html?id={ticket_id}"


def event_of(
    kind: Kind, ticket: str, number: int, at: datetime | None, message: Message | None, shown: Ticket | None = None
) -> Event:
    """Return an event, by the number of the transaction that did it."""
    name = f"ticket-{ticket}" if kind is Kind.CREATED else f"ticket-{ticket}-transaction-{number}"
    return Event(kind, ticket, name, at, message if kind is Kind.COMMENTED else None, shown)


def _message(number: int, name: str, author: str, text: str, at: datetime | None, staff: Staff) -> Message | None:
    """Return what a transaction says, None where it says nothing."""
    if name not in SAID or not text.strip():
        return None
    kinds = {True: AuthorKind.STAFF, False: AuthorKind.REQUESTER, None: AuthorKind.UNKNOWN}
    kind = AuthorKind.SYSTEM if author == SYSTEM else kinds[staff.get(author)]
    return Message(str(number), author, text, at, kind, SAID[name])
