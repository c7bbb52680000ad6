"""What a source of secrets is, and what it yields."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from agent.errors import RolecallError

PREFIX = "ROLECALL_"
"""Every name that begins so is a setting."""

REFERENCE = "secret:"
"""A setting's value that begins so names the secret to be used instead of it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value and the place that it came from, in words for the operator."""

    value: str = field(repr=False)
    origin: str


class SourceFailed(RolecallError):
    """A source cannot be asked, or refuses; `reason` says what to mend and never holds a secret."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason


class Source(Protocol):
    """One place that keeps secrets."""

    @property
    def name(self) -> str:
        """What operators call it, in `[secrets] sources` and in messages."""

    def read(self, also: Collection[str]) -> Mapping[str, Found]:
        """Return every secret called ROLECALL_..., and those named in `also`, in one piece. Raises SourceFailed."""


def is_wanted(name: str, also: Collection[str]) -> bool:
    """Tell whether a source should yield the secret of this name."""
    return name.startswith(PREFIX) or name in also
