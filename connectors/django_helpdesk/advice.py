"""Advice of `rolecall check` on the set-up of a helpdesk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from connectors.django_helpdesk.payload import FollowUp, TicketRow
from connectors.django_helpdesk.settings import DjangoHelpdeskSettings

MAILED = "staff-only comments are mailed out: set HELPDESK_PRIVATE_FOLLOWUP_MEANS_NO_EMAILS = True in the helpdesk"


def advice(
    tickets: Iterable[TicketRow], followups: Iterable[FollowUp], settings: DjangoHelpdeskSettings
) -> Iterator[str]:
    """Yield what should be changed in the helpdesk, as far as these tickets and follow-ups show it."""
    if unnamed := sorted({str(row.queue) for row in tickets} - set(settings.queues)):
        yield f"queue {', '.join(unnamed)} is not in `queues`"
    if _mailed([followup for followup in followups if not followup.public], settings.author_id):
        yield MAILED


def _mailed(private: Sequence[FollowUp], author_id: str | None) -> bool:
    """Return whether staff-only comments are mailed out: one of ours was, or most of those that people wrote.

    A few prove nothing: a comment that was public when it was mailed may have been made private later. Ours never was.
    """
    mailed = [followup for followup in private if followup.email_recipients]
    ours = any(str(followup.user) == author_id for followup in mailed)
    return ours or (len(mailed) > 1 and 2 * len(mailed) > len(private))
