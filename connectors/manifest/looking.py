"""Read the list of changed tickets as far as one look needs it. What it tells is in `polling.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.errors import Permanent
from connectors.manifest import polling
from connectors.manifest.access import Access
from connectors.manifest.lists import Listed, read_down, read_list, read_whole
from connectors.manifest.mapping import moment
from connectors.manifest.model import Poll
from connectors.manifest.polling import Changed, Watermark
from connectors.manifest.system import System


@dataclass(frozen=True, slots=True)
class Looked:
    """The changed tickets of one look, oldest change first; `complete` is False where more are left for the next."""

    changed: list[Changed]
    complete: bool


async def look(access: Access, system: System, looking: Poll, known: Watermark, now: datetime) -> Looked:
    """Return the tickets that changed since the last look, and some that did not. Raises ConnectorError."""
    timed = looking.changed_at is not None
    values = system.of_changes(_since(known, looking), looking.since)

    def enough(rows: Sequence[Any]) -> bool:
        fresh = polling.fresh(polling.changed(rows, looking, system, now), known, now)
        return len(fresh) >= polling.MOST_READ

    if looking.newest_first:
        return await _down(access, system, looking, known, now)
    if timed and not looking.unordered:
        listed = await read_list(access, looking, values, enough)
    else:
        listed = Listed(await read_whole(access, looking, values, "[poll]"), complete=True)
    return Looked(polling.changed(listed.rows, looking, system, now), listed.complete)


async def _down(access: Access, system: System, looking: Poll, known: Watermark, now: datetime) -> Looked:
    """Read a list that begins with the newest change down to the last look.

    Some of them show so many rows and no more: what they have left out since then is found in [history].
    """
    values, past = system.of_changes(_since(known, looking), looking.since), system.manifest.history

    def old(row: Any) -> bool:
        at = moment(looking.changed_at, row)
        return at is not None and at < _since(known, looking)

    listed = await read_down(access, looking, values, old)
    changed = polling.changed(listed.rows, looking, system, now)
    if listed.complete:
        return Looked(changed, complete=True)
    if past is None or past.changed_at is None:
        raise Permanent(
            f"{' '.join(looking.request)}: the list does not reach back to the last look: [poll] page.most is too"
            " small, or it shows only so many rows, and [history] has to say where the others are"
        )
    values = system.of_changes(_since(known, past), past.since)
    missed = polling.changed(await read_whole(access, past, values, "[history]"), past, system, now)
    newest = {each.id: each for each in sorted((*missed, *changed), key=lambda each: each.at)}
    since = _since(known, looking)
    return Looked(
        sorted((each for each in newest.values() if each.at >= since), key=lambda each: each.at), complete=True
    )


def _since(known: Watermark, looking: Poll) -> datetime:
    return known.since - timedelta(seconds=looking.overlap_seconds)
