"""Request Tracker 5 by REST2: a text is an attachment of a transaction, a refusal may be answered 200 or 400.

The pattern of a connector                        Quirks of this system
`connector`  what the agent calls                 `reading`   pages that are filtered after they were cut
`settings`   what an operator sets                `polling`   what changed, from each ticket's history
`payload`    the JSON of RT and of our scrip      `scrip/`    RT sends no webhooks: what makes it send ours
`mapping`    the same in our terms, as events
"""

from connectors.request_tracker.connector import RequestTracker
from connectors.request_tracker.settings import RequestTrackerSettings

__all__ = ["RequestTracker", "RequestTrackerSettings"]
