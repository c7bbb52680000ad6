"""Read a ticket's history from its follow-ups: which one opened, closed or reopened it.

A ticket has no dates of its own, and nothing in the API says "closed": a follow-up with a `new_status` does.
"""

from __future__ import annotations

import re
from datetime import datetime

from connectors.django_helpdesk.payload import FollowUp, TicketRow
from connectors.django_helpdesk.settings import DjangoHelpdeskSettings

REOPENED = 2
"""The server's own number: whatever ends the rest of a closed ticket, a button or a mail, sets it."""

# views/staff.py gives each follow-up of a merged ticket the title "[Merged from #12] Printer", in the site's language.
_MOVED = re.compile(r"\[[^\]#]*#\d+\] ")


def history(row: TicketRow) -> list[FollowUp]:
    """Return the follow-ups of a ticket, oldest first."""
    return sorted(row.followup_set, key=lambda followup: followup.id)


def opening(row: TicketRow) -> FollowUp | None:
    """Return the follow-up that repeats the description, which every form of the helpdesk writes with the ticket.

    None for a ticket that was made in another way, such as in the admin pages. The follow-ups of a merged ticket may be
    older, and one of them may repeat the same words.
    """
    first = next((followup for followup in history(row) if not _MOVED.match(followup.title or "")), None)
    if first and first.public and (row.description or "").strip() in (first.comment or ""):
        return first
    return None


def said_and_done(row: TicketRow) -> list[FollowUp]:
    """Return what happened after the ticket was filed, oldest first."""
    first = opening(row)
    return [followup for followup in history(row) if followup is not first]


def spoken_of(row: TicketRow, since: datetime) -> bool:
    """Return whether anything was said or done since then; True where that is unknown."""
    dates = [followup.date for followup in row.followup_set if followup.date is not None]
    return not dates or max(dates) >= since


def is_closing(followup: FollowUp, settings: DjangoHelpdeskSettings) -> bool:
    """Return whether the follow-up moved its ticket out of the open statuses."""
    return followup.new_status is not None and followup.new_status not in settings.open_statuses


def is_reopening(followup: FollowUp, settings: DjangoHelpdeskSettings) -> bool:
    """Return whether the follow-up moved its ticket back into the open statuses."""
    return followup.new_status == REOPENED and not is_closing(followup, settings)


def is_ours(followup: FollowUp, settings: DjangoHelpdeskSettings) -> bool:
    """Return whether our own account wrote this."""
    return settings.author_id is not None and str(followup.user) == settings.author_id
