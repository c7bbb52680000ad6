"""What must have been seen before a note says that something was the fix. Where it is lacking, the note says less.

Everything is asked for rather than excluded: of those who say no, or that they looked, there are always other words.
Something counts as done where a part of a sentence says so that does not deny, plan or ask for it. It was the fix if
the requester says something good to it, or nothing bad and who did it says what they found; what was wished for has a
word in common with the wish. Whatever was done to a fault, by the form of the verb, was the fix if the replies to it
are content. An answer that tells of nothing done counts for a fault alone, and once somebody says that it works: who
wished for something and was told of another way gives thanks for that, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.writing.cues import Cue
from agent.writing.marking import DOUBTS, FINDING, Marked, MarkedTurn
from agent.writing.note import ENDED
from agent.writing.replying import addressed, asks, calm, content, doubtful, works
from connectors.events import AuthorKind
from connectors.markup import by_rolecall

MOST_THEIRS = 16
"""Words of a reply; with more, it tells another story than that an answer helped."""
LEAVE = 6
"""Words in which somebody says that a ticket may be closed."""
LONG_STORY = 60
"""Words; whoever found it says so in less."""
LEAST_WORDS = 12
"""Words of a reply that is more than an answer."""
LEAST_TOLD = 8
"""Words in which somebody tells what they did themselves."""
SMALL_TALK = 10
"""Words; what staff say so briefly below a last reply adds nothing to it."""

_STEM = re.compile(r"\b(?:[^\W\d_]{5}|\d{2,})")
_NUMBER = re.compile(r"\d{3}")
_REFERENCE = re.compile(r"\b[A-Z]{2,8}-?\d{3,}|#\s?\d{3,}|\b\d{4}/\d{3,}")
"""The number of another ticket, or of somebody else's."""
_NO_FINDING = (Cue.CHATTER, Cue.REQUEST, Cue.PROMISE, Cue.WISH, Cue.FAILED)
_TRIED = (Cue.RESULT,)
_BESIDE = (Cue.CAUSE, Cue.IF, Cue.PROMISE)
_SAID = (Cue.REGRET, *ENDED)
_ADDS = (Cue.IF, Cue.PROMISE, Cue.REQUEST, Cue.DONE, Cue.CAUSE, *_SAID)


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
    if said.hostile or any(s.has(Cue.WISH) or addressed(s) for s in said.marked):
        return ()
    told = [s for s in said.matter if not s.sentence.text.endswith("?")]
    done = any(s.has(Cue.CONFIRM, Cue.DONE, Cue.SELF_FIX, Cue.CAUSE, Cue.ACTION) for s in told)
    return tuple(told) if done and _words(told) >= LEAST_WORDS else ()


def left_open(
    thread: Sequence[MarkedTurn], place: int, fix: Sequence[Marked]
) -> tuple[tuple[Marked, ...], tuple[Marked, ...]]:
    """Return what staff did last to a fault, and the last reply to it; ((), ()) where it may have failed."""
    turn, replies = thread[place], [each for each in thread[place + 1 :] if each.turn.by_requester]
    doubts = any(s.has(*DOUBTS, Cue.FAILED) and not s.has(Cue.CONFIRM) for each in replies for s in each.matter)
    wish = any(s.has(Cue.WISH) for s in thread[0].marked) or any(s.has(*_SAID) for s in turn.marked)
    if turn.turn.by_requester or wish or doubts or not all(map(calm, replies)) or any(each.hostile for each in replies):
        return (), ()
    kinds = (Cue.DONE, Cue.DEED) if replies else (Cue.DONE,)
    done = tuple(s for s in fix if s.has(*kinds) and not s.has(Cue.IF, Cue.PROMISE))
    return done, tuple(s for each in replies[-1:] for s in each.marked) if done else ()


def narrowed(fix: Sequence[Marked]) -> tuple[Marked, ...]:
    """Return what was done last, where something was, without what led to it, was tried before it, or might be."""
    last = max((n for n, s in enumerate(fix) if not s.has(Cue.ATTEMPT)), default=0)
    fix = [s for n, s in enumerate(fix) if n >= last or not s.has(Cue.ATTEMPT)]
    done = [s for s in fix if s.has(Cue.DONE)]
    return tuple(s for s in fix if not done or s is done[-1] or not s.has(*(_TRIED if s in done else _BESIDE)))


def claimed(thread: Sequence[MarkedTurn], place: int, fix: Sequence[Marked]) -> bool:
    """Return whether these sentences of the message at a place may be called the fix."""
    turn, later = thread[place], thread[place + 1 :]
    replies = [each for each in later if each.turn.by_requester]
    if turn.turn.by_requester:
        return place == told_by_requester(thread) or _found_it(turn, replies, fix)
    if any(each.hostile and not each.turn.by_requester for each in later):
        return False  # what is not read may say that it was something else
    if any(s.has(Cue.UNWANTED) for each in replies for s in each.marked):
        return False  # whoever wants nothing done any more says of nothing that it helped
    if any(s.has(Cue.ALREADY) and _NUMBER.search(s.sentence.text) for s in turn.marked):
        return False  # another ticket is about the same
    if _welcomed(thread[0], turn, later, fix):
        return True
    if any(map(doubtful, replies)) or (len(replies) > 1 and not replies[0].happy):
        return False
    happy, theirs = bool(replies) and replies[-1].happy, last_words(thread)
    if happy and any(s.has(Cue.DONE, Cue.SELF_FIX) for s in theirs):
        return False  # they tell of something else that they did
    if done := [s for s in fix if s.has(Cue.DONE)]:
        return _wanted(thread[0], turn, done) and (happy or _sure(turn, later))
    return happy and _answered(thread[0], turn, replies[-1], fix) and _words(theirs) <= MOST_THEIRS


def told_by_requester(thread: Sequence[MarkedTurn]) -> int | None:
    """Return the place of the last reply if it tells what the requester did, and staff had only a word to say to it.

    Whatever the words are: had it failed, or been a wish, those who answer would have more to do.
    """
    replies = [place for place, turn in enumerate(thread) if place and turn.turn.by_requester]
    if not replies:
        return None
    place = replies[-1]
    said, later = thread[place], thread[place + 1 :]
    if not 0 < sum(each.turn.words for each in later) <= SMALL_TALK or any(map(_by_machine, later)):
        return None
    if any(asks(s) or s.has(*_ADDS) for each in later for s in each.marked):
        return None
    given = (s for s in thread[place - 1].marked if not asks(s))
    if any(s.has(Cue.DONE) or (said.happy and s.has(Cue.ACTION)) for s in given):
        return None  # it was staff's, then, or their advice
    if said.hostile or any(map(addressed, said.marked)) or not calm(said) or said.turn.words < LEAST_TOLD:
        return None
    tells = any(s.has(Cue.DEED, Cue.CAUSE, Cue.SELF_FIX, Cue.DONE) and not _leave(s) for s in said.marked)
    return place if tells else None


def _welcomed(opened: MarkedTurn, turn: MarkedTurn, later: Sequence[MarkedTurn], fix: Sequence[Marked]) -> bool:
    """Return whether staff did something to a fault, by the form of the verb, and the replies to it are content."""
    replies = [place for place, each in enumerate(later) if each.turn.by_requester]
    if not replies or not all(content(later[place]) for place in replies):
        return False
    after = later[replies[-1] + 1 :]
    more = sum(each.turn.words for each in after) > SMALL_TALK or any(map(_by_machine, later))
    ours = [s for each in later if not each.turn.by_requester for s in each.marked]
    refused = any(s.has(*_SAID) for s in (*turn.marked, *ours)) or any(map(_denies, ours))
    wish = any(s.has(Cue.WISH) for s in opened.marked)
    return any(s.has(Cue.DEED, Cue.DONE) for s in fix) and not (more or refused or wish)


def _found_it(turn: MarkedTurn, replies: Sequence[MarkedTurn], fix: Sequence[Marked]) -> bool:
    """Return whether the requester says what it was, and neither asks, plans nor tells a long story."""
    if any(map(asks, (*turn.matter, *(s for each in replies for s in each.marked)))):
        return False
    if any(s.has(Cue.PROMISE, Cue.IF, Cue.WISH) for s in fix) or turn.turn.words > LONG_STORY:
        return False
    if any(s.has(Cue.DONE, Cue.CAUSE) or works(s) for s in turn.marked):
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
    says = any(s.has(Cue.ACTION) or not s.has(Cue.DENIAL, Cue.HEDGE) for s in fix)
    return says and calm(reply) and any(map(works, reply.matter))


def _sure(turn: MarkedTurn, later: Sequence[MarkedTurn]) -> bool:
    """Return whether something was the fix though nobody says that it works.

    Who did it says what they found before it, or these are the last words on the ticket, with which it was closed.
    Nothing that follows may tell of another end: a machine that closed it, another ticket, more of staff.
    """
    first = next(n for n, s in enumerate(turn.marked) if s.has(Cue.DONE))
    found = turn.overcame > 0 or any(map(_states, turn.marked[:first]))
    closing = not any(each.turn.words for each in later) and not any(s.has(Cue.RESULT) for s in turn.marked)
    if not (found or closing) and not any(s.has(Cue.CAUSE, Cue.FINDING) or works(s) for s in turn.marked):
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
