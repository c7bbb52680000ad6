"""Tokens that a system replaces whenever they are renewed, and who keeps them.

A refresh may delete both old tokens at once (Zendesk does). So the new pair is stored before it is used, and one
process at a time renews it: the others wait, and take the pair that it stored.
Source: RFC 6749, 6, and RFC 9700, 4.14 (rotation).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

from connectors.errors import Transient

CLAIM_SECONDS = 90.0
"""How long one process may take for a renewal: longer than its request can."""
ASK_AGAIN_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token, and the token with which the next pair is asked for. `access` is "" before the first renewal."""

    access: str
    refresh: str


class LogInAgain(Transient):
    """The refresh token is spent: a person has to log in once more. What waits for it goes on by itself afterwards."""

    def __init__(self, source: str) -> None:
        variable = f"ROLECALL_CONNECTORS__{source.upper().replace('-', '_')}__REFRESH_TOKEN"
        super().__init__(
            f"the log-in of {source} is spent: log in there again, as `rolecall connectors setup {source}` says, "
            f"and set {variable}; nothing is lost meanwhile",
            ASK_AGAIN_SECONDS,
        )


class Keeper(Protocol):
    """Keeps the pair of each connector, for all processes of the installation.

    `login` names the log-in that a pair descends from: after a new one, what was kept of the old one does not count.
    """

    async def read(self, source: str, login: str) -> Pair | None:
        """Return the newest pair, None where there is none yet. Raises LogInAgain where it is known to be spent."""

    async def claim(self, source: str, login: str, used: str) -> Pair | None:
        """Reserve the renewal of the access token `used`; None where there is no pair yet.

        A pair with another access token is one that somebody else has just stored: nothing is reserved then. Raises
        Transient while another process renews it, LogInAgain where it is spent.
        """

    async def store(self, source: str, login: str, pair: Pair) -> None:
        """Keep a new pair, and end the reservation."""

    async def release(self, source: str, login: str) -> None:
        """End the reservation without a new pair."""

    async def spent(self, source: str, login: str, used: str) -> Pair | None:
        """Record that the system takes the refresh token no more, unless somebody has stored another pair: that one."""


def login_of(refresh_token: str) -> str:
    """Return what names a log-in: a hash of the token that it gave."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()[:16]
