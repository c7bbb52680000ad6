"""Rolecall's own vocabulary: what it reads (tickets), what it says (decisions) and what it learns from (reviews)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class Strength(IntEnum):
    """How much a review says about the right role. Silence has no strength: it is never a label."""

    REOPENED = 0
    """The ticket was reopened: what its closure said counts no longer, and no role takes its place."""
    CLOSED_AS_SUGGESTED = 1
    """Closed in a role that we had suggested: staff may simply have followed us."""
    CLOSED = 2
    """Closed in a role that we had not suggested, or where we had said nothing."""
    CONFIRMED = 3
    """A person said that the role is right: `/role ok`, or imported history that was reviewed."""
    CORRECTED = 4
    """A person named another role: `/role NAME`."""


class Via(StrEnum):
    """By which way a review came."""

    COMMAND = "command"
    CLOSURE = "closure"
    REOPENING = "reopening"
    IMPORT = "import"


class Band(StrEnum):
    """Confidence in words, for people with two seconds."""

    SURE = "sure"
    LIKELY = "likely"
    GUESS = "a guess"


class TrainingOutcome(StrEnum):
    """What came of a training, as the ledger keeps it.

    UNDECIDED is a normal night with too little evidence, no failure; ASKS waits for a person.
    """

    RUNNING = "running"
    FAILED = "failed"
    PROMOTED = "promoted"
    KEPT = "kept"
    UNDECIDED = "undecided"
    ASKS = "asks"


def ticket_key(source: str, ticket_id: str) -> str:
    """Return the name of a ticket across systems, for example `django-helpdesk:42`."""
    return f"{source}:{ticket_id}"


def source_of(key: str) -> str:
    """Return the name of the connector, or of the import, that a ticket's key begins with."""
    return key.partition(":")[0]


def in_renamed_source(key: str, old: str, new: str) -> str:
    """Return the key of a ticket whose connector was called `old` and is called `new`; other keys as they are."""
    return ticket_key(new, key.removeprefix(f"{old}:")) if source_of(key) == old else key


def ticket_text(subject: str, body: str) -> str:
    """Return the text that models see, in training as in serving: subject and body, without saying one thing twice."""
    subject, body = subject.strip(), body.strip()
    if not body or body.startswith(subject):
        return body or subject
    return f"{subject}\n{body}" if subject else body


@dataclass(frozen=True, slots=True)
class Example:
    """A reviewed ticket as it was filed, with the roles that people settled on (more than one where two must act)."""

    ticket_key: str
    subject: str
    body: str
    roles: tuple[str, ...]
    filed_at: datetime
    strength: Strength = Strength.CONFIRMED

    @property
    def text(self) -> str:
        """The text that models see."""
        return ticket_text(self.subject, self.body)
