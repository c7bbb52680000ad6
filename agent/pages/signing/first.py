"""The one-time link for the first account: shown on the terminal, or left in a file that only its owner can read.

It goes into no log: logs are shipped to others.
"""

from __future__ import annotations

import os
from pathlib import Path

from agent.pages.signing import users
from agent.store.database import Database
from agent.store.tables import utcnow


def link(database: Database, url: str) -> str | None:
    """Return a new link for the first account, at the address of the pages; None where there is an account."""
    token = database.call(users.offer_first, utcnow())
    return None if token is None else f"{url}/sign-in/{token}"


def leave(file: Path, content: str | None) -> None:
    """Write the link into a file with mode 0600, in place of an earlier one; with None, delete the file."""
    file.unlink(missing_ok=True)
    if content is not None:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as new:
            new.write(f"{content}\n")
