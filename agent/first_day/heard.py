"""What webhooks have told that the API does not: the names of queues, which django-helpdesk's API only numbers."""

from __future__ import annotations

from sqlmodel import Session, col, select

from agent.store.tables import Inbox
from connectors.deliveries import decode
from connectors.django_helpdesk.payload import WebhookBody
from connectors.errors import MalformedPayload

MOST_HEARD = 500
"""Deliveries that are looked at, the newest first."""


def queue_names(session: Session, source: str) -> dict[str, str]:
    """Return the names of queues by their numbers, as the newest kept webhooks of a connector have them."""
    kept = select(Inbox.raw).where(Inbox.source == source).order_by(col(Inbox.seq).desc()).limit(MOST_HEARD)
    names = dict[str, str]()
    for raw in session.exec(kept):
        try:
            body = decode(WebhookBody, raw)
        except MalformedPayload:
            continue  # found by the poll, or of another system under this name
        names.setdefault(str(body.ticket.queue), body.queue_slug)
    return names
