"""What must have been seen before a note says that something was the fix. Where it is lacking, the note says less.

Everything is asked for rather than excluded: of those who say no, or that they looked, there are always other words.
Something counts as done where a part of a sentence says so that does not deny, plan or ask for it. It was the fix if
the requester says something good to it, or nothing bad and who did it says what they found; what was wished for has a
word in common with the wish. An answer that tells of nothing done counts for a fault alone, and once somebody says that
it works: who wished for something and was told of another way gives thanks for that, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.writing.cues import Cue
from agent.writing.marking import DOUBTS, FINDING, Marked, MarkedTurn
from agent.writing.note import ENDED
from connectors.events import AuthorKind
from connectors.markup import by_rolecall

_THANKS = re.compile(
    r"\b(?:(?:(?:vielen|herzlichen|besten|lieben|tausend)\s+)?dank(?:e|eschön|esehr)?(?:\s+(?:schön|sehr|ihnen|dir))?|"
    r"(?:un\s+grand\s+|mille\s+)?mercis?(?:\s+(?:beaucoup|bien|infiniment))?|(?:muchas\s+|mil\s+)?gracias|"
    r"(?:many\s+)?(?:thank\s+you|thanks|thx|cheers|ta)(?:\s+(?:very|so|again|a|much|lot|all|both))*)\b",
    re.I,
)
_THANKED_FOR = re.compile(rf"(?:{_THANKS.pattern})\s+(?:for|für|pour|d[e']|por)\b[^.!?]*", re.I)
"""Thanks, with what they are for: "thanks for your help" says of nothing that it works."""
SHORT_REPLY = 6
"""Words; a longer reply that does not say that it works may tell how it does not."""
MOST_THEIRS = 16
"""Words of a reply; with more, it tells another story than that an answer helped."""
_PRAISE = re.compile(
    r"\b(?:perfect|great|super|nice|excellent|brilliant|awesome|cool|wonderful|lovely|fantastic|good|fine|ok|okay|yes|all|"
    r"prima|top|klasse|wunderbar|toll|bestens|gut|ja|alles|parfait|génial|nickel|impeccable|oui|bien|perfecto|genial|"
    r"estupendo|excelente|sí|vale)\b",
    re.I,
)
"""Who is content says of an answer no more than who gives thanks for it."""
LONG_REPLY = 40
"""Words; so long a reply tells more than that it works."""
LEAVE = 6
"""Words in which somebody says that a ticket may be closed."""
LONG_STORY = 60
"""Words; whoever found it says so in less."""
LEAST_WORDS = 12
"""Words of a reply that is more than an answer."""
SMALL_TALK = 10
"""Words; what staff say so briefly below a last reply adds nothing to it."""

_ADDRESSED = re.compile(
    r"\b(?:summar|not[ei]|notiz|lösung|solu[ct]|resol|record|log\b|bot\b|assist|asist|model|ai\b|ki\b|ia\b|resum|résum|zusammenf)",
    re.I,
)
"""Words of those who mean to be quoted in a note: theirs are left out where nobody else says it."""
_STEM = re.compile(r"\b(?:[^\W\d_]{5}|\d{2,})")
_NUMBER = re.compile(r"\d{3}")
_REFERENCE = re.compile(r"\b[A-Z]{2,8}-?\d{3,}|#\s?\d{3,}|\b\d{4}/\d{3,}")
"""The number of another ticket, or of somebody else's."""
_NO_FINDING = (Cue.CHATTER, Cue.REQUEST, Cue.PROMISE, Cue.WISH, Cue.FAILED)
_TRIED = (Cue.RESULT,)
_BESIDE = (Cue.CAUSE, Cue.IF, Cue.PROMISE)
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
    return tuple(told) if done and _words(told) >= LEAST_WORDS else ()


def narrowed(fix: Sequence[Marked]) -> tuple[Marked, ...]:
    """Return what was done last, where something was, without what led to it, was tried before it, or might be."""
    done = [s for s in fix if s.has(Cue.DONE)]
    return tuple(s for s in fix if not done or s is done[-1] or not s.has(*(_TRIED if s in done else _BESIDE)))


def claimed(thread: Sequence[MarkedTurn], place: int, fix: Sequence[Marked]) -> bool:
    """Return whether these sentences of the message at a place may be called the fix."""
    turn, later = thread[place], thread[place + 1 :]
    replies = [each for each in later if each.turn.by_requester]
    if turn.turn.by_requester:
        return _found_it(turn, replies, fix)
    if any(each.hostile and not each.turn.by_requester for each in later):
        return False  # what is not read may say that it was something else
    if any(map(_doubtful, replies)) or (len(replies) > 1 and not replies[0].happy):
        return False
    if any(s.has(Cue.ALREADY) and _NUMBER.search(s.sentence.text) for s in turn.marked):
        return False  # another ticket is about the same
    happy, theirs = bool(replies) and replies[-1].happy, last_words(thread)
    if happy and any(s.has(Cue.DONE, Cue.SELF_FIX) for s in theirs):
        return False  # they tell of something else that they did
    if done := [s for s in fix if s.has(Cue.DONE)]:
        return _wanted(thread[0], turn, done) and (happy or _sure(turn, later))
    return happy and _answered(thread[0], turn, replies[-1], fix) and _words(theirs) <= MOST_THEIRS


def _found_it(turn: MarkedTurn, replies: Sequence[MarkedTurn], fix: Sequence[Marked]) -> bool:
    """Return whether the requester says what it was, and neither asks, plans nor tells a long story."""
    if any(map(_asks, (*turn.matter, *(s for each in replies for s in each.marked)))):
        return False
    if any(s.has(Cue.PROMISE, Cue.IF, Cue.WISH) for s in fix) or turn.turn.words > LONG_STORY:
        return False
    if any(s.has(Cue.DONE, Cue.CAUSE) or _works(s) for s in turn.marked):
        return True
    alone = any(s.has(Cue.SELF_FIX) and not _leave(s) for s in turn.marked)
    return alone and not any(s.has(Cue.DOUBT) for s in turn.marked)


def _wanted(opened: MarkedTurn, turn: MarkedTurn, done: Sequence[Marked]) -> bool:
    """Return whether what was done is what the ticket was about: a wish is also granted in part, or refused."""
    wish, fault = (any(s.has(kind) for s in opened.marked) for kind in (Cue.WISH, Cue.PROBLEM))
    refused = any(s.has(*_SAID) or _denies(s) for s in turn.marked)
    return not ((wish or not fault) and refused) and (not wish or _shared(done, opened.marked))


def _answered(opened: MarkedTurn, turn: MarkedTurn, reply: MarkedTurn, fix: Sequence[Marked]) -> bool:
    """Return whether an answer that tells of nothing done mended a fault, as the reply says that it works."""
    if any(s.has(Cue.WISH) for s in opened.marked) or any(s.has(*_SAID) for s in turn.marked):
        return False
    says = any(s.has(Cue.ACTION) or not s.has(Cue.DENIAL) for s in fix)
    return says and any(map(_works, reply.matter))


def _sure(turn: MarkedTurn, later: Sequence[MarkedTurn]) -> bool:
    """Return whether something was the fix though nobody says that it works.

    Who did it says what they found before it, or these are the last words on the ticket, with which it was closed.
    Nothing that follows may tell of another end: a machine that closed it, another ticket, more of staff.
    """
    first = next(n for n, s in enumerate(turn.marked) if s.has(Cue.DONE))
    found = turn.overcame > 0 or any(map(_states, turn.marked[:first]))
    closing = not any(each.turn.words for each in later) and not any(s.has(Cue.RESULT) for s in turn.marked)
    if not (found or closing) and not any(s.has(Cue.CAUSE, Cue.FINDING) or _works(s) for s in turn.marked):
        return False
    more = sum(each.turn.words for each in later if not each.turn.by_requester) > SMALL_TALK
    return not (
        any(s.has(Cue.IF, Cue.PROMISE) for s in turn.marked[first:])
        or any(_REFERENCE.search(s.sentence.text) for s in turn.marked)
        or any(map(_by_machine, later))
        or (more and any(each.turn.by_requester for each in later))
        or any(s.has(*_SAID) or _denies(s) for each in later for s in each.marked)
    )


def _leave(marked: Marked) -> bool:
    """Return whether a sentence says no more than that the ticket may be closed."""
    return marked.has(Cue.OPEN) and len(marked.sentence.text.split()) <= LEAVE


def _by_machine(turn: MarkedTurn) -> bool:
    message = turn.turn.message
    return message.author_kind is AuthorKind.SYSTEM and not by_rolecall(message.text)


def _shared(done: Sequence[Marked], opened: Sequence[Marked]) -> bool:
    """Return whether what was done is what was wished for: they have the beginning of a word in common."""
    ours, theirs = (
        frozenset(w.casefold() for s in each for w in _STEM.findall(s.sentence.text)) for each in (done, opened)
    )
    return bool(ours & theirs)


def _words(said: Sequence[Marked]) -> int:
    return sum(len(s.sentence.text.split()) for s in said)


def _states(marked: Marked) -> bool:
    words = len(marked.sentence.text.split())
    return words >= FINDING and not marked.sentence.text.endswith("?") and not marked.has(*_NO_FINDING)


def _denies(marked: Marked) -> bool:
    return marked.has(*DOUBTS) and not marked.has(Cue.CONFIRM, Cue.DONE, Cue.ACTION)


def _works(marked: Marked) -> bool:
    """Return whether a sentence says that it works, besides thanks."""
    if marked.has(Cue.DENIAL) or not marked.has(Cue.CONFIRM):
        return False
    return re.search(r"\w", _PRAISE.sub("", _THANKS.sub("", _THANKED_FOR.sub("", marked.sentence.text)))) is not None


def _asks(marked: Marked) -> bool:
    return marked.sentence.text.rstrip().endswith("?")


def _doubtful(reply: MarkedTurn) -> bool:
    """Return whether a reply may say that it does not work, in whatever words."""
    if any(map(_asks, reply.matter)) or reply.turn.words > LONG_REPLY:
        return True
    denies = any(s.has(*DOUBTS) and not s.has(Cue.CONFIRM) for s in reply.matter)
    return not reply.happy and (reply.unhappy or denies or reply.turn.words > SHORT_REPLY)
