"""Rolecall's own errors, split by what the person in front of the screen does next.

The tree::

    RolecallError           one line for the person at the terminal, exit code 2
    ├── SettingsError       mend the named settings, all of them at once
    ├── DataDirectoryBusy   another server already works on this data directory
    ├── BadInput            mend the named file or argument
    └── NotPossibleYet      something must come first, and the message says what

Faults at the border to a ticketing system have a tree of their own: `connectors.errors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class RolecallError(Exception):
    """A fault that a person can mend; the message says how."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One faulty setting: its dotted name, where its value came from, and what is wrong with it."""

    setting: str
    source: str
    message: str

    def __str__(self) -> str:
        return f"{self.setting} ({self.source}): {self.message}"


class SettingsError(RolecallError):
    """One or more settings are faulty; `faults` names every one of them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


class DataDirectoryBusy(RolecallError):
    """Two servers on one data directory would comment twice."""


class BadInput(RolecallError):
    """A file or an argument cannot be used as it is."""


class NotPossibleYet(RolecallError):
    """A step that needs another one first, such as predicting before anything was trained."""
