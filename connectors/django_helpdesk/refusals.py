"""The errors behind a 400: a comment on an unknown ticket gets 400 from the helpdesk, not 404."""

from __future__ import annotations

from connectors.deliveries import Wire, decode
from connectors.errors import MalformedPayload, Permanent, TicketNotFound
from connectors.http import Response


class _Refused(Wire):
    ticket: tuple[str, ...] = ()
    comment: tuple[str, ...] = ()
    user: tuple[str, ...] = ()


def refusal(response: Response, path: str, ticket_id: str) -> Permanent | TicketNotFound:
    """Return the error that names the reason.

    The helpdesk's words are not quoted: they may repeat ours, and a comment holds words of the ticket.
    """
    try:
        refused = decode(_Refused, response.body)
    except MalformedPayload:
        refused = _Refused()
    if refused.ticket:
        return TicketNotFound(f"ticket {ticket_id} is unknown to the helpdesk")
    fields = [name for name in ("comment", "user") if getattr(refused, name)]
    return Permanent(f"POST {path}: answered 400 about {' and '.join(fields) or 'something else'}")
