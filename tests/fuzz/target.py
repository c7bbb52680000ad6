"""What is fuzzed: a parser or check that meets strangers' bytes, and what has to hold for any of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """`check` takes any bytes and raises when a promise is broken; `seeds` are inputs that reach deep.

    `close` gives back what checking needed.
    """

    check: Callable[[bytes], None]
    seeds: Sequence[bytes]
    close: Callable[[], None] = lambda: None


def text_of(data: bytes) -> str:
    """Return any text for any bytes, lone surrogates included."""
    return data.decode("utf-8", "surrogatepass") if _is_text(data) else data.decode("utf-8", "surrogateescape")


def one_line(reason: str) -> None:
    """Fail unless a reason can be shown to anybody: one line, not long, nothing that moves a cursor."""
    assert reason, "a refusal without a reason"
    assert reason.isprintable(), f"not printable: {reason!r}"
    assert len(reason) < 300, f"{len(reason)} characters of reason"


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True
