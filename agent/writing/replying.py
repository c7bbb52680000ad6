"""What a reply says of what was done before it: that it works, that its author is content, or that it may not work."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.writing.cues import Cue, phrases
from agent.writing.marking import DOUBTS, Marked, MarkedTurn

SHORT_REPLY = 6
"""Words; a longer reply that does not say that it works may tell how it does not."""
LONG_REPLY = 40
"""Words; so long a reply tells more than that it works."""
PLAIN_REPLY = 16
"""Words of a reply that is content in its tone alone."""
OUTCRY = 8
"""Words that end in an exclamation mark for joy; who complains says more."""

_SMILE = re.compile(r"[:;]-?[)D]|\^\^|[\U0001f600-\U0001f60f\U0001f642\U0001f44d\U0001f389]")
_PLANS = (Cue.IF, Cue.PROMISE, Cue.WISH, Cue.REGRET)


def asks(marked: Marked) -> bool:
    """Return whether a sentence is a question."""
    return marked.sentence.text.rstrip().endswith("?")


def works(marked: Marked) -> bool:
    """Return whether a sentence says that it works, besides thanks and praise."""
    if marked.has(Cue.DENIAL) or not marked.has(Cue.CONFIRM) or asks(marked):
        return False
    thanks, praise = phrases("thanks").pattern, phrases("praise")
    thanked = re.sub(rf"{thanks}\s+{phrases('thanked_for').pattern}[^.!?]*", "", marked.sentence.text, flags=re.I)
    return re.search(r"\w", praise.sub("", re.sub(thanks, "", thanked, flags=re.I))) is not None


def addressed(marked: Marked) -> bool:
    """Return whether a sentence has words of those who mean to be quoted in a note."""
    return phrases("addressed").search(marked.sentence.text) is not None


def doubtful(reply: MarkedTurn) -> bool:
    """Return whether a reply may say that it does not work, in whatever words."""
    if any(map(asks, reply.matter)) or reply.turn.words > LONG_REPLY:
        return True
    denies = any(s.has(*DOUBTS) and not s.has(Cue.CONFIRM) for s in reply.matter)
    return not reply.happy and (reply.unhappy or denies or (reply.turn.words > SHORT_REPLY and not _plain(reply)))


def _plain(reply: MarkedTurn) -> bool:
    """Return whether a reply with thanks tells in few words how it is now, and names nothing that is wrong."""
    thanked = any(phrases("thanks").search(s.sentence.text) for s in reply.marked)
    plans = any(s.has(Cue.PROBLEM, *_PLANS) for s in reply.marked)
    return thanked and not plans and _words(reply.marked) <= PLAIN_REPLY


def content(reply: MarkedTurn) -> bool:
    """Return whether a reply is short and content, in whatever words: nothing in it asks, plans, denies or doubts.

    Thanks alone are no sign of it: who was refused gives thanks, too.
    """
    said, text = reply.matter, " ".join(s.sentence.text for s in reply.matter)
    if any(asks(s) for s in said) and not any(map(works, said)):
        return False
    pleased = any(s.has(Cue.GOOD) for s in said) or _SMILE.search(text) is not None
    denies = any(s.has(Cue.DENIAL) and not s.has(Cue.CONFIRM) for s in said)
    if denies or reply.unhappy or _words(said) > PLAIN_REPLY or any(s.has(Cue.FAILED, *_PLANS) for s in said):
        return False
    if any(s.has(Cue.DOUBT) and not s.has(Cue.CONFIRM) for s in said) and not pleased:
        return False
    return pleased or any(map(works, said)) or ("!" in text and _words(said) <= OUTCRY)


def calm(reply: MarkedTurn) -> bool:
    """Return whether a reply neither asks for anything, nor plans, nor says that it fails."""
    wishes = any(s.has(Cue.WISH) and not s.has(Cue.DENIAL) for s in reply.matter)  # "no need to come" is none
    return not (reply.unhappy or wishes or any(asks(s) or s.has(Cue.IF, Cue.PROMISE) for s in reply.matter))


def _words(said: Sequence[Marked]) -> int:
    return sum(len(s.sentence.text.split()) for s in said)
