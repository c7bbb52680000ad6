"""How closed tickets ended, read from a list that is not in the order of its changes, oldest first: round by round.

The first round turns every page, down to the day where the list begins with the newest change. Whatever changes
meanwhile may slip past the page that is read; it has changed since the round began, though, and the next round reads
what has, which is little. Rounds end with one that is a single page, and after some in any case.

A ticket that leaves its page, because it moves to the end or is deleted, makes room for one that did not change: that
one moves up to the page before, which is therefore read once more behind each page.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field

from connectors.base import Past
from connectors.manifest.lists import Turn, read_page
from connectors.manifest.mapping import moment
from connectors.manifest.model import Poll
from connectors.manifest.past import ROUNDS, Looked, Reader, Way, look
from connectors.manifest.polling import Changed, changed


class Round(Way):
    """How far a round has come. `begun`: when it began; `since`: what changed before is none of its business.

    `before`: the page before the one at `turn`. `seen`: the tickets on these two that were looked at, and those of all
    pages that the next round meets again.
    """

    before: Turn | None = None
    seen: dict[str, str] = Field(default_factory=dict)


async def part(reader: Reader, since: datetime, place: str | None) -> Past:
    """Read a page of the list."""
    now, looking = datetime.now(UTC), reader.looking
    at = Round.reached(place, since, now)
    turn, rows, following = await reader.page(at)
    listed = changed([*await page_before(reader, at), *rows], looking, reader.system, now)
    wanted = [row for row in listed if row.at >= at.since and at.seen.get(row.id) != row.stamp]
    looked = await look(wanted, reader, at)
    last = moment(looking.changed_at, rows[-1]) if rows else None
    below = looking.newest_first and last is not None and last < at.since  # not any row: some systems pin old ones
    alone = turn.number == 1 or (turn.number == 2 and not rows)
    again = at.begun - timedelta(seconds=looking.overlap_seconds)
    there = {row.id for row in listed}
    after = following_round(at, looked, there, turn, None if below else following, now, None if alone else again)
    return Past(
        looked.ended,
        (after or at).model_dump_json(),
        after is None,
        len(looked.at),
        1.0 if after is None else _share(at, listed, looking),
        looked.refused,
    )


async def page_before(reader: Reader, at: Round) -> list[Any]:
    """Return the rows of the page before, as they are once the next one was read."""
    if at.before is None:
        return []
    return (await read_page(reader.access, reader.looking, reader.values(at), at.before))[0]


def following_round(
    at: Round,
    looked: Looked,
    there: Collection[str],
    turn: Turn,
    following: Turn | None,
    now: datetime,
    again: datetime | None,
) -> Round | None:
    """Return the place after a part, which was asked for at `now`; None where the history ended with it.

    `there`: the tickets on the page at `turn` and on the one before.
    `again`: since when the next round has to read what changed; None where this one is a single page.
    """
    seen = at.seen | {row.id: row.stamp for row in looked.at}
    at = at.model_copy(update={"refused": looked.refused + (0 if looked.some_read else at.refused), "seen": seen})
    if not looked.all:
        return at.model_copy(update={"turn": turn})
    if following is None and (again is None or at.rounds == ROUNDS):
        return None
    met = again or at.begun
    later = {number: then for number, then in seen.items() if datetime.fromisoformat(then) >= met}
    if following is not None:
        near = {number: then for number, then in seen.items() if number in there}
        return at.model_copy(update={"turn": following, "before": turn, "seen": later | near})
    begins = {"turn": None, "before": None, "seen": later, "since": max(met, at.start), "begun": now}
    return at.model_copy(update={**begins, "rounds": at.rounds + 1})


def _share(at: Round, listed: list[Changed], looking: Poll) -> float:
    """Return how much of the history was read: unknown, and so nothing, where the list is in no order."""
    if at.rounds:
        return 0.99
    if not looking.newest_first or not listed:
        return 0.0
    way = (at.begun - at.start).total_seconds()
    return min(max((at.begun - listed[0].at).total_seconds() / way, 0.0), 0.99) if way > 0 else 0.0
