"""Passwords: hashed with argon2id, off the event loop, few at a time, since each hash takes 64 MiB for a moment."""

from __future__ import annotations

import asyncio
import unicodedata
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 10, 1_000
"""Characters (NIST SP 800-63B asks for 8 at least, and for no rules about their kinds)."""

AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Passwords:
    """Hashes and compares passwords. An unknown account takes as long as a wrong password."""

    hasher: PasswordHasher = field(default_factory=PasswordHasher)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def hashed(self, password: str) -> str:
        """Return the hash to keep."""
        async with self._turns:
            return await asyncio.to_thread(self.hasher.hash, _forms(password)[0])

    async def right(self, kept: str | None, password: str) -> bool:
        """Return whether the password is the one of this hash; None is nobody's."""
        if len(password) > MOST:
            return False
        async with self._turns:
            return await asyncio.to_thread(self._right, kept, password)

    def _right(self, kept: str | None, password: str) -> bool:
        return sum(self._is(kept, form) for form in _forms(password)) > 0  # all of them: the time tells nothing

    def _is(self, kept: str | None, password: bytes) -> bool:
        if kept is None:
            self.hasher.hash(password)
            return False
        try:
            return self.hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def acceptable(password: str) -> bool:
    """Return whether a new password is long enough, and no longer than can be hashed."""
    return LEAST <= len(password) <= MOST


def _forms(password: str) -> list[bytes]:
    """Return the password in the form that is kept, whatever keyboard typed it (NIST SP 800-63B: NFKC), and as typed.

    Passwords of earlier releases were kept as they were typed.
    """
    forms = dict.fromkeys((unicodedata.normalize("NFKC", password), password))
    return [form.encode("utf-8", "surrogatepass") for form in forms]
