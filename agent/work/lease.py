"""The right to write to other systems in a cluster: it lapses without heartbeats, and then stays lapsed.

A server may be suspended in the middle of its work, or cut off from the database, for longer than the others wait
before they take its work over. It must then not continue what it had begun (M. Kleppmann, How to do
distributed locking, 2016).
"""

from __future__ import annotations

from time import monotonic


class Lease:
    """Lapses when it was not renewed for `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = monotonic() + seconds

    def holds(self) -> bool:
        """Return whether the lease holds: no other server can have taken our work over yet."""
        return monotonic() < self._until

    def renew(self, since: float) -> None:
        """Extend the lease, counted from `since`, when the heartbeat was sent. A lapsed lease stays lapsed."""
        if self.holds():
            self._until = since + self._seconds
