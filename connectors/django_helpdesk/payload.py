"""The helpdesk's JSON, in webhooks and API answers alike.

Format: helpdesk/serializers.py and helpdesk/webhooks.py of django-helpdesk 2.6.1. A webhook is
`{"ticket": ..., "queue_slug": ...}` for a new ticket, with `"followup_id"` beside it for a follow-up; the ticket
carries its whole `followup_set`. Nothing says "closed" but a follow-up's `new_status`.
"""

from __future__ import annotations

from connectors.deliveries import Id, Text, Time, Wire

NO_FOLLOW_UP = 0


class Attachment(Wire):
    """A file that came with a follow-up; its content is never asked for."""

    filename: Text | None = None


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
    title: Text | None = None
    followupattachment_set: tuple[Attachment, ...] = ()


class TicketRow(Wire):
    """A ticket as the API shows it. It has no dates of its own."""

    id: Id
    queue: Id
    title: Text
    description: Text | None
    status: int
    submitter_email: Text | None = None
    assigned_to: Id | None = None
    priority: int | None = None
    merged_to: Id | None = None
    followup_set: tuple[FollowUp, ...]


class WebhookBody(Wire):
    """The body of both webhooks."""

    ticket: TicketRow
    queue_slug: Text
    followup_id: Id = NO_FOLLOW_UP


class Edited(Wire):
    """The response to an edited comment: the text as stored."""

    comment: Text | None = None


class Created(Edited):
    """The response to a posted comment."""

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
