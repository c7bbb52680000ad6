"""RT's JSON, and that of our scrip.

Format: lib/RT/REST2 of RT 5.0.3, as it answers: ids are numbers here and texts there, users are named by their names,
a time that is not set is 1970. `Sent` is what `scrip/RolecallWebhook.pm` posts, in the form of Standard Webhooks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from connectors.deliveries import Id, Text, Time, Wire


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_number(value: object) -> object:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value


def _known(value: datetime | None) -> datetime | None:
    return None if value is None or value <= datetime(1970, 1, 2, tzinfo=UTC) else value


Number = Annotated[Id, BeforeValidator(_as_number)]
Loose = Annotated[Text, BeforeValidator(_as_text)]
When = Annotated[Time, AfterValidator(_known)]


class Named(Wire):
    """A queue or user. A user's id is its name."""

    id: Loose
    Name: Text | None = None


class CustomField(Wire):
    """A field that an administrator added, with its values."""

    name: Text | None = None
    values: tuple[Loose, ...] = ()


class TicketRow(Wire):
    """A ticket; of one that was merged into another, RT answers that one."""

    id: Number
    Subject: Text | None = None
    Status: Text
    Queue: Named
    Owner: Named | None = None
    Requestor: tuple[Named, ...] = ()
    Priority: Loose | None = None
    Created: When
    Resolved: When | None = None
    CustomFields: tuple[CustomField, ...] = ()


class Transaction(Wire):
    """One row of a ticket's history."""

    id: Number
    Type: Text
    Field: Text | None = None
    OldValue: Loose | None = None
    NewValue: Loose | None = None
    Creator: Named
    Created: When


class Attachment(Wire):
    """A text or file of a transaction. `Content` is there where it was asked for."""

    id: Number
    TransactionId: Number
    ContentType: Text | None = None
    Filename: Text | None = None
    Content: Text | None = None


class Changed(Wire):
    """A row of a search."""

    id: Number
    LastUpdated: When


class User(Wire):
    """A user, as any privileged account may see it."""

    Name: Text
    Privileged: Annotated[int, BeforeValidator(_as_number)] = 0


class Told(Wire):
    """One transaction, as our scrip tells it. `staff`: its creator is privileged."""

    ticket: Number
    transaction: Number
    creator: Text
    staff: bool
    created: When
    text: Text | None = None
    old: Text | None = None
    new: Text | None = None


class Sent(Wire):
    """The body of a webhook of ours."""

    type: Literal["Create", "Comment", "Correspond", "Status", "Queue", "Subject"]
    data: Told
