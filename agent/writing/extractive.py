"""The writer that needs no language model: pick the message with the solution, and cut the note from the messages.

It never words anything itself. Where the messages hold no solution it says so: an invented fix is worse than none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from agent.writing import picking
from agent.writing.cues import Cue
from agent.writing.cutting import cut
from agent.writing.marking import Marked, mark, settled
from agent.writing.note import ENDED, SOLVED, Found, Outcome, Part, Written
from agent.writing.reading import Reading
from agent.writing.thread import Sentence, Thread
from agent.writing.weights import Weights, shipped

WRITER = "rules 9"
"""Who wrote a note; changes with every change of what this writer returns."""
MOST_WORDS = 60
"""Words of a note, its headings among them."""
SHARES = {
    Part.FIX: 32,
    Part.DONE: 32,
    Part.REASON: 34,
    Part.CAUSE: 24,
    Part.FOUND: 24,
    Part.PROBLEM: 20,
    Part.ANSWER: 40,
    Part.TRIED: 12,
    Part.STATUS: 44,
}
"""Words that a part may take."""
MOST_SEEN = 60
"""Messages of which figures are kept."""
LEAST_PROBLEM = 12
"""Words that are kept free for the problem."""
FILLED = (Part.FIX, Part.DONE, Part.REASON, Part.ANSWER, Part.STATUS, Part.TRIED, Part.CAUSE, Part.FOUND, Part.PROBLEM)
"""The parts in the order in which they get their words."""
ORDER = (
    *(Part.PROBLEM, Part.CAUSE, Part.FOUND, Part.FIX, Part.REASON, Part.ANSWER),
    *(Part.TRIED, Part.DONE, Part.STATUS),
)

_DONE = (Cue.ACTION, Cue.WORKAROUND, Cue.SELF_FIX)
_KINDS = {Part.CAUSE: (Cue.CAUSE,), Part.PROBLEM: (Cue.PROBLEM,), Part.REASON: tuple(ENDED)}


def write(thread: Thread, weights: Weights | None = None) -> Written:
    """Return the note on a thread that has ended; time is linear in its length."""
    return written(Reading(mark(thread), weights or shipped()))


def written(reading: Reading) -> Written:
    """Return the note on a thread that was read."""
    reading = replace(reading, thread=settled(reading.thread))
    return _composed(reading, reading.found())


class Extractive:
    """The writer that is always there; `weights` returns those that serve."""

    name = WRITER

    def __init__(self, weights: Callable[[], Weights] = shipped) -> None:
        self._weights = weights

    async def write(self, thread: Thread) -> Written:
        """Return the note on a thread that has ended."""
        return await asyncio.to_thread(lambda: write(thread, self._weights()))


def seen(thread: Thread) -> dict[str, dict[str, float]]:
    """Return what is seen of each message that may hold the solution, in figures, by its number."""
    marked = mark(thread)
    able = list(picking.features(marked).items())[:MOST_SEEN]
    return {str(marked[place].turn.number): {n: round(v, 3) for n, v in each.items() if v} for place, each in able}


def summary(thread: Thread, weights: Weights | None = None) -> Written:
    """Return where a thread stands: the note where it is solved, else what was done so far and what was said last."""
    reading = Reading(mark(thread), weights or shipped())
    found = reading.found()
    if found.outcome in SOLVED and reading.settled:
        return _composed(reading, found)
    return _composed(reading, Found(found.outcome, None, {Part.TRIED: _done(reading), Part.STATUS: _last(reading)}))


def _done(reading: Reading) -> tuple[Marked, ...]:
    """Return the latest sentence of staff that says what they did."""
    for turn in reversed(reading.thread[1:]):
        told = [s for s in turn.marked if s.has(Cue.ACTION) and reading.score(s, Part.TRIED) > 0]
        if told and not turn.turn.by_requester and not turn.hostile:
            return (max(told, key=lambda s: reading.score(s, Part.TRIED)),)
    return ()


def _last(reading: Reading) -> tuple[Marked, ...]:
    """Return the sentence of the last message that says most."""
    for turn in reversed(reading.thread[1:]):
        told = [s for s in turn.marked if not s.has(Cue.INJECTED, Cue.CHATTER)]
        if told and not turn.hostile:
            return (max(told, key=lambda s: min(len(s.sentence.text.split()), 12)),)
    return ()


def pick(thread: Thread, weights: Weights | None = None) -> int | None:
    """Return the number of the message that most likely holds the solution, None where there is none to choose."""
    marked = mark(thread)
    scores = picking.scores(marked, (weights or shipped()).message)
    return marked[max(scores, key=lambda place: scores[place])].turn.number if scores else None


def _composed(reading: Reading, found: Found) -> Written:
    """Return the parts, cut so that all of them fit, the most important first."""
    wanted = {**found.parts, Part.PROBLEM: reading.problem()}
    parts: dict[Part, list[Sentence]] = {}
    left = MOST_WORDS
    reserved = LEAST_PROBLEM if wanted[Part.PROBLEM] else 0
    for part in FILLED:
        share = min(SHARES[part], left - 1 - (reserved if part is not Part.PROBLEM else 0))
        for marked in sorted(wanted.get(part, ()), key=lambda s: -reading.score(s, part)):
            if (sentence := _cut(reading, marked, part, share)) is not None:
                parts.setdefault(part, []).append(sentence)
                share -= len(sentence.text.split())
        parts.get(part, []).sort(key=lambda s: (s.number, s.place))
        left -= sum(len(s.text.split()) for s in parts.get(part, ())) + (part in parts)
    if found.outcome in SOLVED or found.outcome is Outcome.NO_FIX:
        for marked in () if Part.TRIED in parts else reading.tried():
            if (sentence := _cut(reading, marked, Part.TRIED, min(left - 1, SHARES[Part.TRIED]))) is not None:
                parts[Part.TRIED] = [sentence]
                break
    return Written(found.outcome, tuple((part, tuple(parts[part])) for part in ORDER if part in parts), found.anchor)


def _cut(reading: Reading, marked: Marked, part: Part, most: int) -> Sentence | None:
    language = next(t.language for t in reading.thread if t.turn.number == marked.sentence.number)
    return cut(marked, _KINDS.get(part, _DONE), language, most)
