"""What is written about a ticket, as data: parts of sentences, each with the message that it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from agent.writing.cues import Cue
from agent.writing.marking import Marked
from agent.writing.thread import Sentence, Thread


class Part(StrEnum):
    """What a part of a text says about a ticket."""

    PROBLEM = "problem"
    CAUSE = "cause"
    FOUND = "found"
    """What staff saw when they looked, where nobody calls it the cause."""
    FIX = "fix"
    REASON = "reason"
    """Why it ended without a fix."""
    DONE = "done"
    """What staff did last to a fault, where nobody says whether it helped."""
    TRIED = "tried"
    """What had been tried before, and did not help."""
    STATUS = "status"
    """What was last said: on an open ticket, or on a closed one whose messages do not tell whether it was solved."""
    ANSWER = "answer"
    """The message that most likely holds the solution, where that is all that can be said."""


class Outcome(StrEnum):
    """How a ticket ended, as far as its messages tell. UNKNOWN: they are in a language without cues."""

    FIXED = "fixed"
    WORKAROUND = "workaround"
    SELF_FIXED = "self-fixed"
    DECLINED = "declined"
    DUPLICATE = "duplicate"
    NO_FIX = "no-fix"
    UNKNOWN = "unknown"


ENDED: Mapping[Cue, Outcome] = {
    Cue.DUPLICATE: Outcome.DUPLICATE,
    Cue.DECLINED: Outcome.DECLINED,
    Cue.NO_FIX: Outcome.NO_FIX,
}
"""What ends a ticket without a fix."""

SOLVED = frozenset({Outcome.FIXED, Outcome.WORKAROUND, Outcome.SELF_FIXED})


@dataclass(frozen=True, slots=True)
class Written:
    """A text about a ticket; `anchor` is the number of the message that holds the solution, None where none does."""

    outcome: Outcome
    parts: tuple[tuple[Part, tuple[Sentence, ...]], ...]
    anchor: int | None = None

    def sentences(self, *parts: Part) -> Iterator[Sentence]:
        """Yield the sentences of these parts; of all where none is named."""
        yield from (s for part, sentences in self.parts if part in parts or not parts for s in sentences)

    @property
    def says_something(self) -> bool:
        """Whether it says more than what the ticket is about."""
        return any(part is not Part.PROBLEM for part, _ in self.parts)

    @property
    def words(self) -> int:
        """How many words it has, its headings among them."""
        return len(self.parts) + sum(len(sentence.text.split()) for sentence in self.sentences())


@dataclass(frozen=True, slots=True)
class Found:
    """How a ticket ended, the number of the message with the solution, and the sentences of each part, uncut."""

    outcome: Outcome
    anchor: int | None = None
    parts: Mapping[Part, Sequence[Marked]] = field(default_factory=dict)


class Writer(Protocol):
    """Who writes the notes."""

    @property
    def name(self) -> str:
        """Stored with each note; changes where another note would be written."""

    async def write(self, thread: Thread) -> Written:
        """Return the note on a thread that has ended. Raises nothing: there is always the extractive one."""
