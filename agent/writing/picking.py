"""Pick the message that holds the solution: a weighted sum of what is seen of each message and of those around it.

The weights are fitted (`fit.py`) to conversations whose solution was marked by people, as a conditional logit: the
probability of a message is its share of all that could be it (McFadden 1974). They are the same for all languages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from agent.writing.cues import Cue
from agent.writing.marking import MarkedTurn

Features = Mapping[str, float]

_WORD = re.compile(r"[^\W_]{3,}")
_COUNTED = (
    *(Cue.ACTION, Cue.CAUSE, Cue.REQUEST, Cue.CHATTER, Cue.FAILED, Cue.CONFIRM, Cue.SELF_FIX),
    *(Cue.DECLINED, Cue.DUPLICATE, Cue.WORKAROUND, Cue.PROMISE, Cue.NO_FIX),
)


def candidates(thread: Sequence[MarkedTurn]) -> list[int]:
    """Return the places of the messages that may hold the solution: not the opening, and no order to who writes it."""
    return [place for place, turn in enumerate(thread) if turn.turn.number > 1 and turn.marked and not turn.hostile]


def features(thread: Sequence[MarkedTurn]) -> dict[int, Features]:
    """Return what is seen of each message that may hold the solution, by its place."""
    able = candidates(thread)
    staff = [place for place in able if not thread[place].turn.by_requester]
    longest = max((thread[place].turn.words for place in staff), default=1) or 1
    opening = _words(thread[0]) if thread else frozenset()
    return {place: _features(thread, place, staff, longest, opening) for place in able}


def _features(
    thread: Sequence[MarkedTurn], place: int, staff: Sequence[int], longest: int, opening: frozenset[str]
) -> Features:
    marked = thread[place]
    turn, sentences = marked.turn, max(len(marked.marked), 1)
    seen: dict[str, float] = {
        "words": math.log1p(min(turn.words, 400)) / 4,
        "longest": float(turn.words == longest),
        "length": min(turn.words / longest, 1.0),
        "short": float(turn.words < 8),
        "links": float(turn.links > 0),
        "code": float(turn.code > 0),
        "private": float(turn.by_staff and turn.message.visibility.value == "staff_only"),
    }
    for kind in _COUNTED:
        seen[kind] = math.log1p(marked.count(kind))
    seen["all requests"] = float(marked.count(Cue.REQUEST) >= sentences)
    seen["ends asking"] = float(marked.marked[-1].sentence.text.rstrip().endswith("?"))
    seen["share of actions"] = marked.count(Cue.ACTION) / sentences
    seen["share of chatter"] = marked.count(Cue.CHATTER) / sentences
    words = _words(marked)
    seen["on the matter"] = len(words & opening) / (len(words) + 5)
    if turn.by_requester:
        seen |= {"requester": 1.0, "requester fixed it": float(marked.count(Cue.SELF_FIX) > 0)}
    else:
        seen |= {"first": float(place == staff[0]), "last": float(place == staff[-1]), "only": float(len(staff) == 1)}
    return seen | _answers(thread, place, staff)


def _answers(thread: Sequence[MarkedTurn], place: int, staff: Sequence[int]) -> dict[str, float]:
    """Return what the requester said below a message, before and after the next one of staff."""
    theirs = [p for p in range(1, len(thread)) if thread[p].turn.by_requester]
    later = [p for p in theirs if p > place]
    next_staff = next((p for p in staff if p > place), len(thread))
    answer = [p for p in later if p < next_staff]
    thanked = [p for p in theirs if _satisfied(thread[p])]
    last_thanked = max(thanked, default=-1)
    seen = {
        "answered": float(bool(answer)),
        "answer confirms": max((_strength(thread[p], Cue.CONFIRM) for p in answer), default=0.0),
        "answer: failed": max((_strength(thread[p], Cue.FAILED) for p in answer), default=0.0),
        "answer asks": float(any(thread[p].marked and "?" in thread[p].marked[-1].sentence.text for p in answer)),
        "answer satisfied": float(any(_satisfied(thread[p]) for p in answer)),
        "before the last thanks": float(
            last_thanked > place and not any(place < p < last_thanked for p in staff) and place in staff
        ),
        "before the last reply": float(bool(theirs) and place in staff and place == _before(staff, theirs[-1])),
        "after the last reply": float(bool(theirs) and place > theirs[-1]),
        "failed later": float(any(thread[p].count(Cue.FAILED) for p in later if p >= next_staff)),
        "staff later": math.log1p(sum(p > place for p in staff)),
        "staff before": math.log1p(sum(p < place for p in staff)),
        "nobody thanked": float(not thanked) * float(place == staff[-1] if staff else 0.0),
    }
    return seen


def _before(staff: Sequence[int], place: int) -> int:
    return max((p for p in staff if p < place), default=-1)


def _strength(marked: MarkedTurn, kind: Cue) -> float:
    return math.log1p(sum(sentence.cues.get(kind, 0) for sentence in marked.marked))


def _satisfied(marked: MarkedTurn) -> bool:
    """Return whether a reply says more that it works than that it does not."""
    return _strength(marked, Cue.CONFIRM) > _strength(marked, Cue.FAILED)


def _words(marked: MarkedTurn) -> frozenset[str]:
    return frozenset(w.casefold() for s in marked.marked for w in _WORD.findall(s.sentence.text))


def scores(thread: Sequence[MarkedTurn], weights: Mapping[str, float]) -> dict[int, float]:
    """Return how well each message that may hold the solution does so, by its place."""
    return {
        place: sum(weights.get(name, 0.0) * value for name, value in seen.items())
        for place, seen in features(thread).items()
    }
