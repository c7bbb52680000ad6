"""Mark the sentences of a conversation with the cues of their language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.writing.cues import Cue, Language, language_of, orders
from agent.writing.thread import Sentence, Thread, Turn, turns

FINDING = 3
"""Words of a part of a sentence that may tell what was found."""
BAD_RESULT = 4
"""Words of a part of a sentence that may tell that it did not help: "still empty"."""
DOUBTS = frozenset({Cue.DENIAL, Cue.DOUBT})
_NOT_DONE = {Cue.DENIAL, Cue.OPEN}
_WENT_WELL = {Cue.CONFIRM, Cue.ACTION}
_TRIES = {Cue.DEED, Cue.DONE}
_VAIN = {*DOUBTS, Cue.FAILED}
_OF_THEIRS = {Cue.SELF_FIX, Cue.NO_FIX, Cue.DECLINED, Cue.DUPLICATE}
_CLAUSE = re.compile(r"[,;:.!?()]\s+|\s+[-–—]+\s+|\s(?:but|so|aber|also|daher|mais|donc|pero)\s", re.I)


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
    def matter(self) -> tuple[Marked, ...]:
        """The sentences up to the one that comes to another matter, after a word that it works."""
        works = next((n for n, s in enumerate(self.marked) if s.has(Cue.CONFIRM)), len(self.marked))
        aside = (n for n in range(works + 1, len(self.marked)) if self.marked[n].has(Cue.ASIDE))
        return self.marked[: next(aside, None)]

    @property
    def unhappy(self) -> bool:
        """Whether it says that it still fails, and not more often that it works."""
        failed = sum(s.cues.get(Cue.FAILED, 0) for s in self.matter)
        return failed > 0 and failed >= sum(s.cues.get(Cue.CONFIRM, 0) for s in self.matter)

    @property
    def happy(self) -> bool:
        """Whether it says that it works."""
        return any(s.has(Cue.CONFIRM) for s in self.matter) and not self.unhappy

    @property
    def thanks(self) -> bool:
        """Whether it is a reply of the requester that says it works."""
        return self.turn.by_requester and self.happy

    @property
    def overcame(self) -> int:
        """How many sentences tell what failed, where what helped is told after them in the same message; else 0."""
        failed = max((n for n, s in enumerate(self.matter, start=1) if s.has(Cue.FAILED)), default=0)
        kinds = (Cue.SELF_FIX,) if self.turn.by_requester else (Cue.ACTION, Cue.WORKAROUND)
        return failed if any(s.has(*kinds) for s in self.matter[failed:]) else 0

    def count(self, kind: Cue) -> int:
        """Return how many sentences have a cue of this kind."""
        return sum(sentence.has(kind) for sentence in self.marked)


def mark(thread: Thread) -> tuple[MarkedTurn, ...]:
    """Return the messages of people with their sentences marked; in no known language, orders to us alone are."""
    found = turns(thread)
    whole = language_of(" ".join([thread.subject, *(s.text for turn in found for s in turn.sentences)]), least=1)
    return tuple(_marked(turn, whole) for turn in found)


def settled(thread: Sequence[MarkedTurn]) -> Sequence[MarkedTurn]:
    """Return a thread up to the thanks with which a requester comes to another matter, if nobody thanks again."""
    thanks = [n for n, turn in enumerate(thread) if n and turn.thanks]
    if thanks and len(thread[thanks[-1]].matter) < len(thread[thanks[-1]].marked):
        return thread[: thanks[-1] + 1]
    return thread


def _marked(turn: Turn, whole: Language | None) -> MarkedTurn:
    language = language_of(" ".join(sentence.text for sentence in turn.sentences), whole) or whole
    marked = tuple(Marked(sentence, _cues(sentence, language)) for sentence in turn.sentences)
    if marked and marked[-1].sentence.text.endswith(":"):  # what is announced was quoted, and says nothing of theirs
        announced = {kind: n for kind, n in marked[-1].cues.items() if kind not in _OF_THEIRS}
        marked = (*marked[:-1], Marked(marked[-1].sentence, announced))
    return MarkedTurn(turn, marked, language.code if language else None)


def _cues(sentence: Sentence, language: Language | None) -> Mapping[Cue, int]:
    found = dict(language.cues(sentence.text)) if language else {}
    told = found.pop(Cue.DEED, 0) + found.pop(Cue.DONE, 0)
    if language and told and not sentence.text.rstrip().endswith("?"):
        texts = _CLAUSE.split(sentence.text)
        parts = [language.cues(part) for part in texts]
        if any(Cue.DEED in part and Cue.DENIAL not in part for part in parts):
            found[Cue.DEED] = 1
        done = [n for n, part in enumerate(parts, 1) if Cue.DONE in part and not part.keys() & _NOT_DONE]
        after = [part for part in parts[done[-1] :] if not part.keys() & _WENT_WELL] if done else []
        tried = next((n for n, part in enumerate(parts, 1) if part.keys() & _TRIES and Cue.DENIAL not in part), None)
        brief = [parts[n] for n in range(tried or len(parts), len(parts)) if len(texts[n].split()) <= BAD_RESULT]
        if any(part.keys() & _VAIN and not part.keys() & _WENT_WELL for part in brief):
            found[Cue.ATTEMPT] = 1
        if done and not any(part.keys() & DOUBTS for part in after):
            before = any(len(part.split()) >= FINDING for part in texts[: done[0] - 1])
            found |= {Cue.DONE: 1} | ({Cue.RESULT: 1} if after else {}) | ({Cue.FINDING: 1} if before else {})
    return found | {Cue.INJECTED: 1} if orders(sentence.text) else found
