"""What must have been seen before a note says that something was the fix. Where it is lacking, the note says less.

Everything is asked for rather than excluded: of those who say no, or that they looked, there are always other words.
Something counts as done where a part of a sentence says so that does not deny, plan or ask for it. Who says that it
works is believed of a fault alone: who wished for something and was told of another way thanks for that, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.writing.cues import Cue
from agent.writing.marking import Marked, MarkedTurn
from agent.writing.note import ENDED

_THANKS = re.compile(
    r"(?:(?:vielen|herzlichen|besten|lieben|tausend)\s+)?dank(?:e|eschön)?(?:\s+(?:schön|sehr|ihnen|dir))?|"
    r"(?:un\s+grand\s+|mille\s+)?mercis?(?:\s+(?:beaucoup|bien|infiniment))?|(?:muchas\s+|mil\s+)?gracias|"
    r"thank\s+you|thanks|thx|cheers|ta",
    re.I,
)
LEAST_WORDS = 12
"""Words of a reply that is more than an answer."""
SMALL_TALK = 10
"""Words; what staff say so briefly below a last reply adds nothing to it."""

_ADDRESSED = re.compile(
    r"\b(?:summar|not[ei]|notiz|lösung|solu[ct]|resol|record|log\b|bot\b|assist|asist|model|ai\b|ki\b|ia\b|resum|résum|zusammenf)",
    re.I,
)
"""Words of those who mean to be quoted in a note: theirs are left out where nobody else says it."""
_NUMBER = re.compile(r"\d{3}")
_SAID = (Cue.REGRET, *ENDED)


def unparted(thread: Sequence[MarkedTurn], told: Sequence[int]) -> Sequence[int]:
    """Return those of staff's messages that no reply parts: before the last reply if that is thanks, else the last."""
    replies = [place for place, turn in enumerate(thread) if place and turn.turn.by_requester]
    before = [place for place in told if replies and thread[replies[-1]].thanks and place < replies[-1]] or told
    after = max((place for place in replies if before and place < before[-1]), default=0)
    return [place for place in before if place > after]


def last_words(thread: Sequence[MarkedTurn]) -> tuple[Marked, ...]:
    """Return what the requester said last, where it is more than an answer and staff said nothing more to it."""
    replies = [place for place, turn in enumerate(thread) if place and turn.turn.by_requester]
    said = thread[replies[-1]] if replies else None
    if said is None or any(turn.turn.words > SMALL_TALK for turn in thread[replies[-1] + 1 :]):
        return ()
    if said.hostile or any(s.has(Cue.WISH) or _ADDRESSED.search(s.sentence.text) for s in said.marked):
        return ()
    told = [s for s in said.matter if not s.sentence.text.endswith("?")]
    done = any(s.has(Cue.CONFIRM, Cue.DONE, Cue.SELF_FIX, Cue.CAUSE, Cue.ACTION) for s in told)
    return tuple(told) if done and sum(len(s.sentence.text.split()) for s in told) >= LEAST_WORDS else ()


def claimed(thread: Sequence[MarkedTurn], place: int, fix: Sequence[Marked]) -> bool:
    """Return whether these sentences of the message at a place may be called the fix."""
    turn, later = thread[place], thread[place + 1 :]
    if turn.turn.by_requester:
        return True
    if any(each.hostile and not each.turn.by_requester for each in later):
        return False  # what is not read may say that it was something else
    replies = [each for each in later if each.turn.by_requester]
    wish = any(s.has(Cue.WISH) for s in thread[0].marked)
    refused = any(s.has(*_SAID) or (wish and _denies(s)) for s in turn.marked)
    if any(s.has(Cue.ALREADY) and _NUMBER.search(s.sentence.text) for s in turn.marked):
        return False  # another ticket is about the same
    if any(s.has(Cue.DONE) for s in fix):
        gave_up = not replies and any(s.has(*_SAID) or _denies(s) for each in later for s in each.marked)
        return not gave_up and not (wish and refused) and not any(map(_doubtful, replies))
    if not replies or wish or refused or last_words(thread):
        return False
    return not any(map(_doubtful, replies)) and _works(replies[-1])


def _denies(marked: Marked) -> bool:
    return marked.has(Cue.DOUBT) and not marked.has(Cue.CONFIRM, Cue.DONE, Cue.ACTION)


def _works(reply: MarkedTurn) -> bool:
    """Return whether a reply says that it works, besides thanks."""
    return reply.happy and any(s.has(Cue.CONFIRM) and _more(s) for s in reply.matter)


def _more(marked: Marked) -> bool:
    return len(re.findall(r"\w+", _THANKS.sub("", marked.sentence.text))) > 0


def _doubtful(reply: MarkedTurn) -> bool:
    """Return whether a reply may say that it does not work, in whatever words."""
    asks = any(s.sentence.text.rstrip().endswith("?") for s in reply.matter)
    return not reply.happy and (reply.unhappy or asks or any(s.has(Cue.DOUBT) for s in reply.matter))
