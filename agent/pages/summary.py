"""Where a ticket stands, read from its helpdesk when somebody asks."""

from __future__ import annotations

import structlog
from starlette.responses import Response

from agent.desk.summed import summed
from agent.notes import solution
from agent.pages.feedback import key_of
from agent.pages.guard import Refused, Visit
from agent.store.tables import Ticket
from connectors.errors import ConnectorError, TicketNotFound

log = structlog.get_logger()


async def show(visit: Visit) -> Response:
    """Show the summary of one ticket."""
    known, lines = await written(visit)
    return visit.page("summary.html", current="today", key=known.key, subject=known.subject, lines=lines)


async def written(visit: Visit) -> tuple[Ticket, str | None]:
    """Return a ticket and its summary, None where its messages say nothing. Raises Refused."""
    site, key = visit.site, key_of(visit)
    source, number = str(visit.request.path_params["helpdesk"]), str(visit.request.path_params["number"])
    connector = site.connectors.get(source)
    known = await visit.read(lambda session: session.get(Ticket, key))
    if known is None or connector is None:
        raise Refused(404, "no_ticket")
    try:
        found = await summed(site.database, connector, number)
    except TicketNotFound:
        raise Refused(404, "ticket_gone") from None
    except ConnectorError as failure:
        log.warning("summary_failed", ticket=key, error=str(failure))
        raise Refused(503, "helpdesk_silent") from None
    return known, solution.plain(found) if found.says_something else None
