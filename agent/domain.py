"""Rolecall's own terms: roles, what is suggested and why nothing is, and the strength of what people say."""

from __future__ import annotations

import difflib
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Final

from agent.text.own_words import plain, spelling, without_accents
from agent.text.reading import Reading, read

REQUESTER: Final = "requester"
"""The kind of pseudonym that stands for who asked."""

_MOVED = re.compile(r"~\d{8}T\d{6}$")


class Strength(IntEnum):
    """How much a review says about the right role. Silence has no strength: it is never a label."""

    REOPENED = 0
    """The ticket was reopened: its closure is no label any more, and there is no other."""
    CLOSED_AS_SUGGESTED = 1
    """Closed in a role that we had suggested: staff may simply have followed the suggestion."""
    CLOSED = 2
    """Closed in a role that we had not suggested, or where we had said nothing."""
    MOVED = 3
    """Staff moved the ticket into the group of a role that we had not suggested."""
    CONFIRMED = 4
    """A person said that the role is right: `/role ok`, or imported history that was reviewed."""
    CORRECTED = 5
    """A person named another role: `/role NAME`."""


class Via(StrEnum):
    """How a review was given."""

    COMMAND = "command"
    MOVE = "move"
    MERGE = "merge"
    """It was given to a ticket that was merged into this one."""
    CLOSURE = "closure"
    REOPENING = "reopening"
    UNDO = "undo"
    IMPORT = "import"
    PAGE = "page"
    CHECK = "check"
    """A random check: on a page that did not show what was suggested."""
    LINK = "link"
    """By a link in the comment."""


class Outcome(StrEnum):
    """What became of a ticket: a clear suggestion, a question between two roles, or no suggestion."""

    CLEAR = "clear"
    EITHER_OR = "either_or"
    NONE = "none"


class Reason(StrEnum):
    """Why there is no suggestion; `agent.notes.reasons` words it."""

    UNSURE = "unsure"
    UNTAUGHT = "untaught"
    HARDLY_ANY_TEXT = "hardly_any_text"
    RULED_OUT = "ruled_out"
    NO_ROLE = "no_role"
    NONE_OF_OURS = "none_of_ours"
    CLOSED = "closed"
    STAFF_FIRST = "staff_first"
    IGNORED_QUEUE = "ignored_queue"
    IGNORED_SENDER = "ignored_sender"
    IGNORED_TAG = "ignored_tag"
    OUTSIDE_PILOT = "outside_pilot"


LEFT_ALONE: Final = frozenset({Reason.IGNORED_QUEUE, Reason.IGNORED_SENDER, Reason.IGNORED_TAG, Reason.OUTSIDE_PILOT})
"""Reasons of the operator's: nothing is kept of such a ticket, nor learnt from it, unless staff ask."""


class TrainingOutcome(StrEnum):
    """The outcome of a training in the ledger.

    UNDECIDED: too little evidence to promote, which is normal and no failure. ASKS: a person has to confirm. SKIPPED: a
    night that had nothing to train for.
    """

    RUNNING = "running"
    FAILED = "failed"
    PROMOTED = "promoted"
    KEPT = "kept"
    UNDECIDED = "undecided"
    ASKS = "asks"
    SKIPPED = "skipped"


def ticket_key(source: str, ticket_id: str) -> str:
    """Return the name of a ticket across systems, for example `django-helpdesk:42`."""
    return f"{source}:{ticket_id}"


def source_of(key: str) -> str:
    """Return the name of the connector, or of the import, that a ticket's key begins with."""
    return key.partition(":")[0]


def id_of(key: str) -> str:
    """Return a ticket's id in its own system: what follows the name of the connector in its key."""
    return key.partition(":")[2]


def moved_key(key: str, filed_at: datetime) -> str:
    """Return the key under which a ticket is kept whose number another one has now."""
    return f"{key}~{filed_at.year:04}{filed_at:%m%dT%H%M%S}"  # %Y has no zeros before the year 1000


def number_key(key: str) -> str:
    """Return the key that a ticket had before its number went to another one; other keys as they are."""
    return _MOVED.sub("", key)


def in_renamed_source(key: str, old: str, new: str) -> str:
    """Return the key of a ticket whose connector was called `old` and is called `new`; other keys as they are."""
    return ticket_key(new, key.removeprefix(f"{old}:")) if source_of(key) == old else key


@dataclass(frozen=True)
class Example:
    """A reviewed ticket as it was filed, with the roles that people gave it (several where several must act).

    `requester` is a pseudonym, `reviewer` the account that gave the roles; None where that is not known.
    """

    ticket_key: str
    subject: str
    body: str
    roles: tuple[str, ...]
    filed_at: datetime
    strength: Strength = Strength.CONFIRMED
    requester: str | None = None
    reviewer: str | None = None
    reviewed_at: datetime | None = None

    @cached_property
    def reading(self) -> Reading:
        """What counts of its text."""
        return read(self.subject, self.body)

    @property
    def words(self) -> tuple[str, str]:
        """What rules see: what counts of subject and body."""
        return self.reading.subject, self.reading.body

    @property
    def text(self) -> str:
        """What models see."""
        return self.reading.text


@dataclass(frozen=True, slots=True)
class Role:
    """A support role. `groups` maps a connector's name to that system's own names for the role (queues, teams)."""

    name: str
    description: str = ""
    aliases: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    owner: str | None = None
    active_from: date | None = None
    active_until: date | None = None

    def group(self, source: str) -> str | None:
        """Return the group that a ticket of this system is assigned to for the role: the first of its groups there."""
        return next(iter(self.groups.get(source, ())), None)

    def active(self, on: date) -> bool:
        """Return whether tickets may go to this role on this day; both dates are inclusive."""
        return (self.active_from or date.min) <= on <= (self.active_until or date.max)


class RoleCatalogue:
    """All roles, found by name, by alias, and by a ticketing system's group. Threads may share it."""

    def __init__(self, roles: Sequence[Role]) -> None:
        self.roles = tuple(roles)
        self.names = tuple(role.name for role in self.roles)
        self._by_word = {spelling(word): role for role in self.roles for word in (*role.aliases, role.name)}
        self._without_accents = without_accents(self._by_word)
        self._by_group = {
            (source, spelling(group)): role
            for role in self.roles
            for source, groups in role.groups.items()
            for group in groups
        }
        self.sources = frozenset(source for source, _ in self._by_group)

    def lookup(self, word: str) -> Role | None:
        """Return the role with this name or alias, or None; without its accents where that leads to one role alone."""
        spelt = spelling(word)
        return self._by_word.get(spelt) or self._without_accents.get(plain(spelt))

    def today(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return today's names of roles, each once: a former name is an alias, or has another case.

        A name that leads to no role stays as it is.
        """
        return tuple(dict.fromkeys(role.name if (role := self.lookup(name)) else name for name in names))

    def near(self, word: str, limit: int = 3) -> tuple[str, ...]:
        """Return the names of roles that may have been meant by an unknown word, closest first."""
        close = difflib.get_close_matches(spelling(word), self._by_word, n=2 * limit, cutoff=0.6)
        return tuple(dict.fromkeys(self._by_word[found].name for found in close))[:limit]

    def of_group(self, source: str, group: str | None) -> Role | None:
        """Return the role behind a ticketing system's group; None for a group that no role claims."""
        return None if group is None else self._by_group.get((source, spelling(group)))

    def active(self, on: date, source: str | None = None) -> tuple[Role, ...]:
        """Return the roles that tickets may go to on this day, in the file's order; for a system, if it is named.

        A role that has groups, but none in that system, is not among them. A system in which no role has a group at all
        leaves nothing out.
        """
        active = tuple(role for role in self.roles if role.active(on))
        if source not in self.sources:
            return active
        return tuple(role for role in active if not role.groups or source in role.groups)


def pseudonym(key: bytes, kind: str, value: str) -> str:
    """Return a keyed hash that stands for a person or a ticket: without the installation's key it says nothing."""
    return hmac.new(key, f"{kind}:{fold(value)}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def drawn(key: bytes, ticket: str, share: float) -> bool:
    """Return whether a ticket is drawn by lot for a random check: by its number and the installation's key alone."""
    return int(pseudonym(key, "random check", ticket)[:16], 16) < share * 2**64


def fold(word: str) -> str:
    """Return the form in which what systems and people call something is compared: no case, single spaces."""
    return " ".join(word.casefold().split())
