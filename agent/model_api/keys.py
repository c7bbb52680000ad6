"""The key of the model API: the configured one, or else the one generated at the first start."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

KEY_BYTES = 32


def issue(file: Path) -> str | None:
    """Generate a key and return it, unless `file` holds the hash of one already. It is shown only this once."""
    key = secrets.token_hex(KEY_BYTES)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(_digest(key).hex().encode())
    except FileExistsError:
        return None
    return key


@dataclass(frozen=True, slots=True)
class Keys:
    """The key in force. `configured` is called for every request, so that a new key needs no restart."""

    configured: Callable[[], SecretStr | None]
    file: Path

    def accept(self, presented: str) -> bool:
        """Return whether the key is right, compared in constant time; without any key, False."""
        return hmac.compare_digest(_digest(presented), self._expected())

    def _expected(self) -> bytes:
        key = self.configured()
        if key is not None:
            return _digest(key.get_secret_value())
        try:
            return bytes.fromhex(self.file.read_text("ascii"))
        except (OSError, ValueError):
            return b""


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
