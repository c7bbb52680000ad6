"""Events that an earlier release kept: their fields under the names of today.

Release 0.1 wrote `comment` for `message`, `comments` for `messages`, and `internal` (true, false, null) for
`visibility`.
"""

from __future__ import annotations

from typing import Any

from connectors.events import Visibility

_VISIBILITY = {True: Visibility.STAFF_ONLY, False: Visibility.PUBLIC, None: Visibility.UNKNOWN}


def with_current_names(stored: Any) -> Any:
    """Return a stored event with today's names; whatever else it is, as it is."""
    if not isinstance(stored, dict):
        return stored
    event = dict(stored)
    if "comment" in event:
        event["message"] = _message(event.pop("comment"))
    ticket = event.get("ticket")
    if isinstance(ticket, dict) and "comments" in ticket:
        event["ticket"] = {**ticket, "messages": [_message(comment) for comment in ticket["comments"]]}
    return event


def _message(comment: Any) -> Any:
    if not isinstance(comment, dict) or "internal" not in comment:
        return comment
    return {**comment, "visibility": _VISIBILITY[comment["internal"]]}
