"""What a look at the helpdesk tells beyond the webhooks: pure, the reading itself is in `connector.py`.

Bulk closing, the kanban board and PATCH send no webhook; the latter two do not even leave a follow-up. A look reads,
in this order, the newest follow-ups and all open tickets. A ticket that was open at the last look and is not now has
been closed, deleted or moved out of sight: those few are read one by one.

A look asks for so much and no more. Where more has happened, it takes the oldest follow-ups and leaves the rest, new
tickets among them, for the next one. A complete look also returns the tickets of the latest days as they are now: edits
and moves leave no trace but these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.base import Poll
from connectors.deliveries import Time, Wire, decode
from connectors.django_helpdesk.histories import history, is_closing, is_ours, said_and_done, spoken_of
from connectors.django_helpdesk.mapping import created, happenings, to_ticket
from connectors.django_helpdesk.payload import FollowUp, TicketRow
from connectors.django_helpdesk.settings import DjangoHelpdeskSettings
from connectors.errors import MalformedPayload, Permanent
from connectors.events import Event, Kind, Ticket

SAME_MOMENT = timedelta(seconds=1)
"""Of follow-ups that are written at the same moment, the later may have the lower number."""

MOST_READ = 50
"""Tickets that one look reads one by one: each makes the helpdesk walk through all its tickets."""


class Watermark(Wire):
    """Where the last look ended: the highest ids seen, the tickets then open, and what it told of later follow-ups.

    `at` is the date of the newest follow-up seen, None where that is unknown.
    """

    ticket: int
    followup: int
    open: frozenset[int]
    told: frozenset[int] = frozenset()
    at: Time | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What was read: the follow-ups above the watermark, all open tickets, and the tickets that `missing` named.

    `complete` is False where these are not all: later follow-ups are still to be read, or the tickets `left`.
    """

    followups: Sequence[FollowUp]
    open: Sequence[TicketRow]
    read: Sequence[TicketRow] = ()
    complete: bool = True
    left: frozenset[int] = frozenset()


def read_watermark(text: str) -> Watermark:
    """Parse what `Poll.watermark` holds. Raises Permanent: starting afresh would silently lose what lies between."""
    try:
        return decode(Watermark, text.encode())
    except MalformedPayload as error:
        raise Permanent(f"the stored poll watermark is unreadable: {error}") from None


def start(followups: Sequence[FollowUp], open_tickets: Sequence[TicketRow]) -> Poll:
    """Take the present as the start: history yields no events."""
    newest = max((followup.id for followup in followups), default=0)
    known = [row.id for row in open_tickets if not row.followup_set or not _began_after(newest, row)]
    mark = Watermark(
        ticket=max((*known, *(followup.ticket for followup in followups)), default=0),
        followup=newest,
        open=frozenset(known),
        at=_newest(None, followups),
    )
    return Poll((), mark.model_dump_json())


def before_reuse(since: Watermark, newest: Sequence[FollowUp]) -> Watermark:
    """Return where to begin if the helpdesk was restored from a backup, else the watermark as it is.

    It then gives numbers again that were given before: a follow-up that is younger than all we saw has a number that we
    saw.
    """
    at = since.at
    dated = [(followup, followup.date) for followup in newest if followup.date is not None]
    if at is None or not any(f.id <= since.followup and date > at + SAME_MOMENT for f, date in dated):
        return since
    older = [followup for followup, date in dated if date <= at]
    return since.model_copy(
        update={
            "ticket": max((followup.ticket for followup in older), default=0),
            "followup": max((followup.id for followup in older), default=0),
            "told": frozenset(),
        }
    )


def recent(rows: Iterable[TicketRow], horizon: datetime, settings: DjangoHelpdeskSettings) -> tuple[Ticket, ...]:
    """Return the tickets about which something was said since `horizon`, each once, by number."""
    latest = {row.id: row for row in rows}
    return tuple(to_ticket(latest[n], settings) for n in sorted(latest) if spoken_of(latest[n], horizon))


def _newest(at: datetime | None, followups: Iterable[FollowUp]) -> datetime | None:
    dates = [date for date in (at, *(followup.date for followup in followups)) if date is not None]
    return max(dates, default=None)


def missing(since: Watermark, look: Look, settings: DjangoHelpdeskSettings) -> list[int]:
    """Return the ids of tickets that have to be read one by one: no longer open without a word, or new and not open."""
    open_now = {row.id for row in look.open}
    closing = {followup.ticket for followup in look.followups if is_closing(followup, settings)}
    unseen = {followup.ticket for followup in look.followups if followup.ticket > since.ticket}
    return sorted((since.open - open_now - closing) | (unseen - open_now))


def bounded(since: Watermark, look: Look, settings: DjangoHelpdeskSettings) -> tuple[Look, list[int]]:
    """Return the part of a look that one look may tell of, and the tickets that have to be read for it.

    Of a look that is not complete, tickets filed after its follow-ups are left out: the next one finds them as new.
    Nor are tickets read that closed without a word, for the word may be among the follow-ups still to come.
    """
    open_now = {row.id for row in look.open}
    kept, unseen = list[FollowUp](), set[int]()
    for followup in sorted(look.followups, key=lambda followup: followup.id):
        if followup.ticket > since.ticket and followup.ticket not in open_now:
            unseen.add(followup.ticket)
        if len(unseen) > MOST_READ:
            break
        kept.append(followup)
    complete = look.complete and len(kept) == len(look.followups)
    if not complete:
        last = max((since.ticket, *(followup.ticket for followup in kept)))
        known = [row for row in look.open if row.id <= last or row.id in since.open]
        look = replace(look, followups=kept, open=known, complete=False)
    numbers = missing(since, look, settings)
    first = [number for number in numbers if number not in since.open]
    silent = [number for number in numbers if number in since.open]
    room = MOST_READ - len(first) if complete else 0
    left = frozenset(silent[room:])
    return replace(look, complete=complete and not left, left=left), sorted(first + silent[:room])


def conclude(since: Watermark, look: Look, settings: DjangoHelpdeskSettings) -> Poll:
    """Return the events since the watermark, oldest first for each ticket, and the next watermark."""
    rows = {row.id: row for row in (*look.open, *look.read)}
    fresh = [rows[n] for n in sorted(rows) if n > since.ticket and _began_after(since.followup, rows[n])]
    events = [
        *(event for row in fresh for event in _life_of(row, settings)),
        *_news(since, look.followups, rows, {row.id for row in fresh}, settings),
        *_silent_closures(since, look, settings),
    ]
    highest = max((followup.id for followup in look.followups), default=since.followup)
    mark = Watermark(
        ticket=max(since.ticket, 0, *rows, *(followup.ticket for followup in look.followups)),
        followup=max(since.followup, highest),
        open=look.left | {number for number, row in rows.items() if row.status in settings.open_statuses},
        # A ticket filed between the two reads is told with follow-ups that a later look will find again.
        told=frozenset(
            number
            for number in since.told.union(followup.id for row in fresh for followup in row.followup_set)
            if number > highest
        ),
        at=_newest(since.at, look.followups),
    )
    return Poll(tuple(events), mark.model_dump_json(), look.complete)


def _began_after(followup: int, row: TicketRow) -> bool:
    """Return whether a ticket's history begins after this follow-up.

    The highest ticket id is not read for this: it would cost the helpdesk a walk through all tickets.
    """
    return not row.followup_set or history(row)[0].id > followup


def _life_of(row: TicketRow, settings: DjangoHelpdeskSettings) -> Iterator[Event]:
    """Yield all that happened to a ticket which nobody told us about."""
    ticket = to_ticket(row, settings)
    yield created(ticket)
    for followup in said_and_done(row):
        yield from happenings(followup, settings, ticket)
    if ticket.closed and ticket.closed_at is None:
        yield closed_without_follow_up(row, settings)


def _news(
    since: Watermark,
    followups: Sequence[FollowUp],
    rows: Mapping[int, TicketRow],
    fresh: Collection[int],
    settings: DjangoHelpdeskSettings,
) -> Iterator[Event]:
    """Yield what the newest follow-ups tell of tickets that were not filed just now. Deleted tickets tell nothing."""
    for followup in sorted(followups, key=lambda followup: followup.id):
        row = rows.get(followup.ticket)
        known = row is not None or followup.ticket <= since.ticket
        if known and followup.ticket not in fresh and followup.id not in since.told:
            yield from happenings(followup, settings, to_ticket(row, settings) if row else None)


def _silent_closures(since: Watermark, look: Look, settings: DjangoHelpdeskSettings) -> Iterator[Event]:
    """Yield the closures of tickets that were open and were found closed on reading them."""
    for row in look.read:
        if row.id in since.open and row.status not in settings.open_statuses:
            closing = [f for f in history(row) if f.id > since.followup and is_closing(f, settings)]
            if closing:
                yield from happenings(closing[-1], settings, to_ticket(row, settings))
            else:
                yield closed_without_follow_up(row, settings)


def closed_without_follow_up(row: TicketRow, settings: DjangoHelpdeskSettings) -> Event:
    """Return the event that a ticket was closed by the board or by PATCH, which leave neither row nor date.

    The last word of other people stands in for the closure, so that looking again gives the same id.
    """
    last = max((followup.id for followup in row.followup_set if not is_ours(followup, settings)), default=0)
    ticket = to_ticket(row, settings)
    return Event(Kind.CLOSED, ticket.id, f"ticket-{ticket.id}-closed-after-followup-{last}", ticket=ticket)
