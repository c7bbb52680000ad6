"""Detect that the system's clock was set back: what was due in a minute would else be due in an hour.

A clock that is set forward needs no care here: what waits is tried early, and whatever must not be early (a pause that
a helpdesk asked for, the time in which a request may still arrive) is measured on a monotonic clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from agent.store.tables import utcnow

LEAST = timedelta(seconds=1)
"""Smaller steps are ignored: time servers make them, and they delay nothing worth mentioning."""


class WallClock:
    """Compares the time of day with a monotonic clock."""

    def __init__(self, wall: Callable[[], datetime] = utcnow, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._last = wall(), monotonic()

    def stepped_back(self) -> timedelta:
        """Return by how much the clock was set back since the last call, zero where it was not."""
        wall, monotonic = self._last
        self._last = self._wall(), self._monotonic()
        back = timedelta(seconds=self._last[1] - monotonic) - (self._last[0] - wall)
        return back if back >= LEAST else timedelta(0)
