"""The helpdesk's JSON, in webhooks and API answers alike, as tickets and events.

Format: helpdesk/serializers.py and helpdesk/webhooks.py of django-helpdesk 2.6.1. A webhook is
`{"ticket": ..., "queue_slug": ...}` for a new ticket, with `"followup_id"` beside it for a follow-up; the ticket
carries its whole `followup_set`. Nothing says "closed" but a follow-up's `new_status`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from connectors.django_helpdesk.settings import DjangoHelpdeskSettings
from connectors.errors import MalformedPayload
from connectors.events import Event, Kind, Message, Ticket, Visibility
from connectors.strict_json import Id, Text, Time, Wire, decode

_NO_FOLLOW_UP = 0


class FollowUp(Wire):
    """One row of a ticket's history: a comment, a change of status, or both."""

    id: Id
    ticket: Id
    user: Id | None
    comment: Text | None
    public: bool
    new_status: int | None
    date: Time
    email_recipients: tuple[str, ...] | None = None


class TicketRow(Wire):
    """A ticket as the API shows it. It has no dates of its own."""

    id: Id
    queue: Id
    title: Text
    description: Text | None
    status: int
    followup_set: tuple[FollowUp, ...]

    @cached_property
    def history(self) -> list[FollowUp]:
        """The follow-ups, oldest first."""
        return sorted(self.followup_set, key=lambda followup: followup.id)

    @cached_property
    def opening(self) -> FollowUp | None:
        """The follow-up that repeats the description, which every form of the helpdesk writes along with the ticket."""
        first = self.history[0] if self.history else None
        if first and first.public and (self.description or "").strip() in (first.comment or ""):
            return first
        return None

    @property
    def said_and_done(self) -> list[FollowUp]:
        """What happened after the ticket was filed, oldest first."""
        opening = self.opening
        return [followup for followup in self.history if followup is not opening]


class WebhookBody(Wire):
    """The body of both webhooks."""

    ticket: TicketRow
    queue_slug: Text
    followup_id: Id = _NO_FOLLOW_UP


class Edited(Wire):
    """The answer to a comment that was edited: the text as it is kept."""

    comment: Text | None = None


class Created(Edited):
    """The answer to a comment that was posted."""

    id: Id
    user: Id | None


class Page(Wire):
    """What every list of the API says about itself."""

    count: int


class TicketPage(Page):
    """One page of tickets, ordered by id."""

    results: tuple[TicketRow, ...]


class FollowUpPage(Page):
    """One page of follow-ups, ordered by date."""

    results: tuple[FollowUp, ...]


def events_of_webhook(body: bytes, settings: DjangoHelpdeskSettings) -> list[Event]:
    """Turn the body of a webhook into events. Raises MalformedPayload."""
    webhook = decode(WebhookBody, body)
    ticket = to_ticket(webhook.ticket, settings, group=webhook.queue_slug)
    if webhook.followup_id == _NO_FOLLOW_UP:
        return [created(ticket)]
    for followup in webhook.ticket.followup_set:
        if followup.id == webhook.followup_id:
            return list(happenings(followup, settings, ticket))
    raise MalformedPayload("followup_id names no follow-up of the ticket")


def created(ticket: Ticket) -> Event:
    """Return the event that a ticket was filed."""
    return Event(Kind.CREATED, ticket.id, f"ticket-{ticket.id}", occurred_at=ticket.created_at, ticket=ticket)


def happenings(followup: FollowUp, settings: DjangoHelpdeskSettings, ticket: Ticket | None) -> Iterator[Event]:
    """Yield what a follow-up tells: a comment, a closure, both in this order, or nothing. Ours tell nothing."""
    if is_ours(followup, settings):
        return
    message = to_message(followup, settings)
    kinds = [Kind.COMMENTED] if message else []
    if is_closing(followup, settings):
        kinds.append(Kind.CLOSED)
    for kind in kinds:
        yield Event(kind, str(followup.ticket), f"followup-{followup.id}", followup.date, message, ticket)


def closed_without_follow_up(row: TicketRow, settings: DjangoHelpdeskSettings) -> Event:
    """Return the event that a ticket was closed by the board or by PATCH, which leave neither row nor date.

    The last word of other people stands in for the closure, so that looking again gives the same id.
    """
    last = max((followup.id for followup in row.followup_set if not is_ours(followup, settings)), default=0)
    ticket = to_ticket(row, settings)
    return Event(Kind.CLOSED, ticket.id, f"ticket-{ticket.id}-closed-after-followup-{last}", ticket=ticket)


def to_ticket(row: TicketRow, settings: DjangoHelpdeskSettings, group: str | None = None) -> Ticket:
    """Return the ticket with its messages; the opening follow-up is its body and no message.

    Without `group`, the queue's slug is looked up in the settings.
    """
    closed = row.status not in settings.open_statuses
    messages = (to_message(followup, settings) for followup in row.said_and_done)
    closures = [followup.date for followup in row.history if is_closing(followup, settings)]
    return Ticket(
        id=str(row.id),
        subject=row.title,
        body=row.description or "",
        group=group if group is not None else settings.queues.get(str(row.queue)),
        closed=closed,
        created_at=row.opening.date if row.opening else None,
        closed_at=closures[-1] if closed and closures else None,
        url=ticket_url(str(row.id), settings),
        messages=tuple(message for message in messages if message),
    )


def to_message(followup: FollowUp, settings: DjangoHelpdeskSettings) -> Message | None:
    """Return what a follow-up says, None where it only changes something."""
    text = followup.comment or ""
    if not text.strip():
        return None
    return Message(
        id=str(followup.id),
        author_id=None if followup.user is None else str(followup.user),
        text=text,
        created_at=followup.date,
        visibility=Visibility.PUBLIC if followup.public else Visibility.STAFF_ONLY,
    )


def is_ours(followup: FollowUp, settings: DjangoHelpdeskSettings) -> bool:
    """Tell whether our own account wrote this."""
    return str(followup.user) == settings.author_id


def is_closing(followup: FollowUp, settings: DjangoHelpdeskSettings) -> bool:
    """Tell whether the follow-up moved its ticket out of the open statuses."""
    return followup.new_status is not None and followup.new_status not in settings.open_statuses


def ticket_url(ticket_id: str, settings: DjangoHelpdeskSettings) -> str:
    """Return the staff page of a ticket."""
    return f"{settings.url}/tickets/{ticket_id}/"
