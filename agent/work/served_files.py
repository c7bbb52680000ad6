"""Keep in the shared database which rules and roles this server serves, for the others to compare."""

from __future__ import annotations

import os
from datetime import datetime
from socket import gethostname

from agent.store.database import Database
from agent.store.served_files import SAID_EVERY, Served, say, version_of
from agent.store.tables import utcnow
from agent.triage.opinion import RoleClassifier


class Teller:
    """Stores what a server serves: now and again, and at once where it has changed."""

    def __init__(self, database: Database, classifier: RoleClassifier) -> None:
        self._database, self._classifier = database, classifier
        self._server = f"{gethostname()}:{os.getpid()}"
        self._last: tuple[Served, datetime] | None = None

    def run(self) -> None:
        """Store it where it is time. Call it off the event loop."""
        served = Served(self._server, self._classifier.rules.version, version_of(self._classifier.catalogue))
        now = utcnow()
        if self._last is None or self._last[0] != served or now - self._last[1] >= SAID_EVERY:
            self._database.call(say, served, now)
            self._last = served, now
