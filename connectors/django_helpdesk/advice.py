"""Advice of `rolecall check` on the set-up of a helpdesk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.django_helpdesk.payload import FollowUp, TicketRow
from connectors.django_helpdesk.settings import DjangoHelpdeskSettings

MAILED = "staff-only comments are mailed out: set HELPDESK_PRIVATE_FOLLOWUP_MEANS_NO_EMAILS = True in the helpdesk"


def advice(
    tickets: Iterable[TicketRow], followups: Iterable[FollowUp], settings: DjangoHelpdeskSettings
) -> Iterator[str]:
    """Yield what should be changed in the helpdesk, as far as these tickets and follow-ups show it."""
    if unnamed := sorted({str(row.queue) for row in tickets} - set(settings.queues)):
        yield f"queue {', '.join(unnamed)} is not in `queues`"
    if any(followup.email_recipients and not followup.public for followup in followups):
        yield MAILED
