"""Mark the sentences of a conversation with the cues of their language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.writing.cues import Cue, Language, language_of
from agent.writing.thread import Sentence, Thread, Turn, turns


@dataclass(frozen=True, slots=True)
class Marked:
    """A sentence and how many cues of each kind it has."""

    sentence: Sentence
    cues: Mapping[Cue, int]

    def has(self, *kinds: Cue) -> bool:
        """Return whether the sentence has a cue of one of these kinds."""
        return any(self.cues.get(kind) for kind in kinds)


@dataclass(frozen=True, slots=True)
class MarkedTurn:
    """A message whose sentences are marked; `hostile` where one of them gives orders to whoever writes the note."""

    turn: Turn
    marked: tuple[Marked, ...]
    language: str | None

    @property
    def hostile(self) -> bool:
        """Whether the message gives orders to whoever writes the note."""
        return any(sentence.has(Cue.INJECTED) for sentence in self.marked)

    def count(self, kind: Cue) -> int:
        """Return how many sentences have a cue of this kind."""
        return sum(sentence.has(kind) for sentence in self.marked)


def mark(thread: Thread) -> tuple[MarkedTurn, ...]:
    """Return the messages of people with their sentences marked: none where no language with cues is known."""
    found = turns(thread)
    whole = language_of(" ".join([thread.subject, *(s.text for turn in found for s in turn.sentences)]))
    return tuple(_marked(turn, whole) for turn in found)


def _marked(turn: Turn, whole: Language | None) -> MarkedTurn:
    language = language_of(" ".join(sentence.text for sentence in turn.sentences)) or whole
    if language is None:
        return MarkedTurn(turn, tuple(Marked(sentence, {}) for sentence in turn.sentences), None)
    marked = tuple(Marked(sentence, language.cues(sentence.text)) for sentence in turn.sentences)
    return MarkedTurn(turn, marked, language.code)
