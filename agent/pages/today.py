"""Today: the latest tickets, what was suggested or why nothing was, and what people said; answers on the spot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import takewhile
from urllib.parse import urlencode

from sqlmodel import Session
from starlette.responses import Response

from agent.pages.feedback import may_undo
from agent.pages.guard import Visit
from agent.pages.reasons import reason
from agent.pages.site import Site
from agent.pages.standing import Standing, filed_before, standings
from agent.triage.cutoffs import NEVER

FILTERS = ("all", "waiting", "clear", "either_or", "none", "corrected")
ROWS = 25
SCANNED = 200
"""Tickets that are looked at for a page at most, whatever the filter."""

FEW_ROLES = 9
"""So many roles are offered on the spot; more of them on the ticket's own page."""


async def today(visit: Visit) -> Response:
    """Show the latest tickets behind a filter, newest first."""
    site, asked = visit.site, visit.request.query_params
    state = asked.get("is", "all") if asked.get("is", "all") in FILTERS else "all"
    at, key = cursor(asked.get("before", ""))
    rows, older, counts = await visit.read(_read, site, state, at, key)
    needs = thresholds(site)
    shown = [(row, reason(site, row), may_undo(visit, row)) for row in rows]
    here = _path(state, asked.get("before", ""))
    return visit.page(
        "today.html",
        current="today",
        rows=shown,
        filters=[(name, counts[name], _path(name)) for name in FILTERS],
        state=state,
        older=_path(state, older) if older else None,
        here=here,
        needs=needs,
        catalogue=site.classifier.catalogue,
        few=len(site.classifier.catalogue.names) <= FEW_ROLES,
        first_page=at is None,
        webhooks=_webhooks(site),
    )


def offered_first(names: Sequence[str], ranked: Sequence[tuple[str, float]]) -> list[str]:
    """Return all roles in their own order, or, of more than a few, those that are likeliest on this ticket."""
    if len(names) <= FEW_ROLES:
        return list(names)
    likeliest = [name for name, _ in ranked if name in names][:FEW_ROLES]
    return [*likeliest, *(name for name in names if name not in likeliest)][:FEW_ROLES]


def thresholds(site: Site) -> dict[str, float | None]:
    """Return from which confidence each role is clear; None for never."""
    _, cutoffs = site.classifier.weighing(site.active.current)
    found = {name: cutoffs.of(name) for name in site.classifier.catalogue.names}
    return {name: None if cutoff >= NEVER or cutoff > 1 else cutoff for name, cutoff in found.items()}


def _read(
    session: Session, site: Site, state: str, at: datetime | None, key: str
) -> tuple[list[Standing], str | None, Counter[str]]:
    """Return the rows, where the next page begins, and how many of today's tickets are behind each filter."""
    latest = filed_before(session, SCANNED, at, key)
    scanned = standings(session, latest if state != "all" or at is None else latest[: ROWS + 1])
    fitting = [row for row in scanned if row.is_(state)]
    rows = fitting[:ROWS]
    last = rows[-1] if len(fitting) > ROWS else scanned[-1] if len(latest) == SCANNED and scanned else None
    older = None if last is None else f"{last.ticket.filed_at.timestamp():.6f}~{last.ticket.key}"
    midnight = site.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    newest = scanned if at is None else standings(session, filed_before(session, SCANNED))
    of_today = takewhile(lambda row: row.ticket.filed_at >= midnight, newest)
    return rows, older, Counter(name for row in of_today for name in FILTERS if row.is_(name))


def cursor(given: str) -> tuple[datetime | None, str]:
    """Return the time and key that an address says a page begins behind; None where it is the first."""
    stamp, _, key = given.partition("~")
    try:
        return (datetime.fromtimestamp(float(stamp), UTC), key) if key else (None, "")
    except (ValueError, OverflowError, OSError):
        return None, ""


def _path(state: str, before: str = "") -> str:
    asked = {name: value for name, value in (("is", state if state != "all" else ""), ("before", before)) if value}
    return f"/?{urlencode(asked)}" if asked else "/"


def _webhooks(site: Site) -> list[str]:
    base = site.settings.server.public_url or ""
    return [f"{base}/hooks/{name}/…" for name in site.connectors]
