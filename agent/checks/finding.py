"""What one check says: that something is in order, worth a look, or to be fixed, with the words that say how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a finding is marked; one that fails makes `rolecall check` end with exit code 1."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `rolecall check`. `subject` is what was looked at; `text` names the setting and what to do."""

    level: Level
    subject: str
    text: str


def ok(subject: str, text: str) -> Finding:
    """Return a finding that something is in order."""
    return Finding(Level.OK, subject, text)


def warn(subject: str, text: str) -> Finding:
    """Return a finding that deserves a look, although everything works."""
    return Finding(Level.WARN, subject, text)


def fail(subject: str, text: str) -> Finding:
    """Return a finding that has to be fixed."""
    return Finding(Level.FAIL, subject, text)
