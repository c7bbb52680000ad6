"""The helpdesk's tickets and follow-ups in our terms, and the events that they tell of: pure."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.deliveries import decode, with_attachments
from connectors.django_helpdesk.histories import history, is_closing, is_ours, is_reopening, opening, said_and_done
from connectors.django_helpdesk.payload import NO_FOLLOW_UP, FollowUp, TicketRow, WebhookBody
from connectors.django_helpdesk.settings import DjangoHelpdeskSettings
from connectors.errors import MalformedPayload
from connectors.events import Event, Kind, Message, Ticket, Visibility


def events_of_webhook(body: bytes, settings: DjangoHelpdeskSettings) -> list[Event]:
    """Return the events in the body of a webhook. Raises MalformedPayload."""
    webhook = decode(WebhookBody, body)
    ticket = to_ticket(webhook.ticket, settings, group=webhook.queue_slug)
    if webhook.followup_id == NO_FOLLOW_UP:
        return [created(ticket)]
    for followup in webhook.ticket.followup_set:
        if followup.id == webhook.followup_id:
            if followup.ticket != webhook.ticket.id:
                raise MalformedPayload("followup_id names a follow-up of another ticket")
            return list(happenings(followup, settings, ticket))
    raise MalformedPayload("followup_id names no follow-up of the ticket")


def created(ticket: Ticket) -> Event:
    """Return the event that a ticket was filed."""
    return Event(Kind.CREATED, ticket.id, f"ticket-{ticket.id}", occurred_at=ticket.created_at, ticket=ticket)


def happenings(followup: FollowUp, settings: DjangoHelpdeskSettings, ticket: Ticket | None) -> Iterator[Event]:
    """Yield what a follow-up tells: a comment, then the end or the return of the ticket. Ours tell nothing."""
    if is_ours(followup, settings):
        return
    message = to_message(followup)
    told = {
        Kind.COMMENTED: message is not None,
        Kind.CLOSED: is_closing(followup, settings),
        Kind.REOPENED: is_reopening(followup, settings),
    }
    for kind in (kind for kind, happened in told.items() if happened):
        yield Event(kind, str(followup.ticket), f"followup-{followup.id}", followup.date, message, ticket)


def to_ticket(row: TicketRow, settings: DjangoHelpdeskSettings, group: str | None = None) -> Ticket:
    """Return the ticket with its messages; the opening follow-up is its body and no message.

    Without `group`, the queue's slug is looked up in the settings.
    """
    closed, first = row.status not in settings.open_statuses, opening(row)
    closures = [followup.date for followup in history(row) if is_closing(followup, settings)]
    return Ticket(
        id=str(row.id),
        subject=row.title,
        body=with_attachments(row.description or "", files_of(row)),
        group=group if group is not None else settings.queues.get(str(row.queue)),
        closed=closed,
        created_at=first.date if first else None,
        closed_at=closures[-1] if closed and closures else None,
        url=ticket_url(str(row.id), settings),
        messages=tuple(message for message in map(to_message, said_and_done(row)) if message),
        requester=row.submitter_email,
        assignee=_text(row.assigned_to),
        priority=_text(row.priority),
        merged_into=_text(row.merged_to),
    )


def files_of(row: TicketRow) -> list[str]:
    """Return the names of the files that a ticket was filed with."""
    first = opening(row)
    return [attachment.filename or "" for attachment in first.followupattachment_set] if first else []


def to_message(followup: FollowUp) -> Message | None:
    """Return what a follow-up says, None where it only changes something.

    Who wrote it is unknown: the API tells a user's number, but not who is staff, and no user at all for mail.
    """
    text = followup.comment or ""
    if not text.strip():
        return None
    return Message(
        id=str(followup.id),
        author_id=_text(followup.user),
        text=text,
        created_at=followup.date,
        visibility=Visibility.PUBLIC if followup.public else Visibility.STAFF_ONLY,
    )


def ticket_url(ticket_id: str, settings: DjangoHelpdeskSettings) -> str:
    """Return the staff page of a ticket."""
    return f"{settings.url}/tickets/{ticket_id}/"


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)
