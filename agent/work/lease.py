"""The right to write to other systems in a cluster: it lasts while our heartbeats arrive, and once lost stays lost.

A server may be suspended in the middle of its work, or cut off from the database, for longer than the others wait
before they take its work over. What it had begun must then not go on (Kleppmann, How to do distributed locking, 2016).
"""

from __future__ import annotations

from time import monotonic


class Lease:
    """Lapses when it was not renewed for `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = monotonic() + seconds

    def holds(self) -> bool:
        """Tell whether nobody can have taken our work over yet."""
        return monotonic() < self._until

    def renew(self, since: float) -> None:
        """Count from the moment before the heartbeat was sent; a lapsed lease stays so."""
        if self.holds():
            self._until = since + self._seconds
