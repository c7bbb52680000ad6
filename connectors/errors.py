"""What can go wrong between a ticketing system and its connector.

The tree is split by what the caller does next::

    ConnectorError
    ├── Challenged          no event, but an answer that the system waits for: HTTP 200
    ├── InvalidSignature    refuse the delivery: HTTP 401
    ├── MalformedPayload    refuse the delivery: HTTP 400
    ├── Transient           try again later, not before `retry_after` seconds
    │   ├── Ambiguous       the request may have been carried out: read back before repeating it
    │   └── TicketNotFound  perhaps not committed yet: a webhook can overtake its own transaction
    └── Permanent           trying again cannot help: a dead letter, for a person
"""

from __future__ import annotations

from collections.abc import Mapping


class ConnectorError(Exception):
    """Any error between Rolecall and a ticketing system; the message is one line and holds no secret."""


class Challenged(ConnectorError):
    """The delivery asks whether somebody is there, and the system sends nothing else before it has this answer."""

    def __init__(self, headers: Mapping[str, str], content: bytes) -> None:
        super().__init__("the system asked whether we are there")
        self.headers, self.content = headers, content


class InvalidSignature(ConnectorError):
    """The delivery does not prove that it comes from the configured system."""


class MalformedPayload(ConnectorError):
    """The delivery is authentic, but not in the format that this system documents."""


class Transient(ConnectorError):
    """The system cannot answer now.

    `retry_after`: the seconds that the system asks to wait, or None.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Ambiguous(Transient):
    """A write got no usable answer (time-out, reset, 5xx): it may have been stored nevertheless."""


class TicketNotFound(Transient):
    """The system does not know this ticket (yet)."""


class Permanent(ConnectorError):
    """The system refuses for good: wrong token, missing right, a request it will never accept."""
