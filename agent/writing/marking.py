"""Mark the sentences of a conversation with the cues of their language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.writing.cues import Cue, Language, language_of, orders
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

    @property
    def unhappy(self) -> bool:
        """Whether it says that it still fails, and not more often that it works."""
        failed = sum(s.cues.get(Cue.FAILED, 0) for s in self.marked)
        return failed > 0 and failed >= sum(s.cues.get(Cue.CONFIRM, 0) for s in self.marked)

    @property
    def happy(self) -> bool:
        """Whether it says that it works."""
        return self.count(Cue.CONFIRM) > 0 and not self.unhappy

    def count(self, kind: Cue) -> int:
        """Return how many sentences have a cue of this kind."""
        return sum(sentence.has(kind) for sentence in self.marked)


def mark(thread: Thread) -> tuple[MarkedTurn, ...]:
    """Return the messages of people with their sentences marked; in no known language, orders to us alone are."""
    found = turns(thread)
    whole = language_of(" ".join([thread.subject, *(s.text for turn in found for s in turn.sentences)]))
    return tuple(_marked(turn, whole) for turn in found)


def _marked(turn: Turn, whole: Language | None) -> MarkedTurn:
    language = language_of(" ".join(sentence.text for sentence in turn.sentences)) or whole
    marked = tuple(Marked(sentence, _cues(sentence, language)) for sentence in turn.sentences)
    return MarkedTurn(turn, marked, language.code if language else None)


def _cues(sentence: Sentence, language: Language | None) -> Mapping[Cue, int]:
    found = dict(language.cues(sentence.text)) if language else {}
    return found | {Cue.INJECTED: 1} if orders(sentence.text) else found
