"""What follows from a marked conversation: what failed, which sentences say what helped and why, and how it ended.

Safe rather than complete: what was said before somebody wrote that it still fails never is the fix, nor are the words
of a requester who does not say that they found it themselves, nor a message that gives orders to us.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from agent.writing import picking
from agent.writing.claiming import claimed, last_words, left_open, narrowed, told_by_requester, unparted
from agent.writing.cues import Cue
from agent.writing.marking import Marked, MarkedTurn
from agent.writing.note import ENDED, Found, Outcome, Part
from agent.writing.replying import asks
from agent.writing.weights import SHORT, Weights

MOST_SENTENCES = 3
WITHIN = 1.8
"""How much less than the best sentence another one of the fix may score."""
TOLD = 0.5
"""What a sentence scores at least of a requester who found it without staff."""
BRIEF = 12
"""Words; of a shorter reason the sentence before it is shown, too."""
LAST_MESSAGES = 3
"""Messages of staff in which the reason for an end without a fix is looked for."""

_SAYS_NO_FIX = (Cue.CHATTER, Cue.PROMISE, Cue.FAILED, Cue.REQUEST, Cue.INJECTED)
_THEIR_ASIDE = (Cue.CHATTER, Cue.PROMISE, Cue.FAILED)
_ASIDE = (*_THEIR_ASIDE, Cue.CONFIRM, Cue.SELF_FIX)


@dataclass(frozen=True)
class Reading:
    """A marked thread, and what follows from it."""

    thread: Sequence[MarkedTurn]
    weights: Weights

    def found(self) -> Found:
        """Return how the ticket ended, and the sentences that say so."""
        if not self.thread:
            return Found(Outcome.NO_FIX)
        scores = picking.scores(self.thread, self.weights.message)
        if all(turn.language is None for turn in self.thread):
            return self._without_claims(scores)
        able = {place: score for place, score in scores.items() if place > self._last_failed and self._may_solve(place)}
        place = self._anchor(able)
        fix = () if place is None else narrowed(self._fix(place))
        ended, reason = self._ended(fix)
        if ended is not None or self._still_failing:
            return Found(ended or Outcome.NO_FIX, None, {Part.REASON: reason})
        if place is None:
            return Found(Outcome.NO_FIX, None, {Part.STATUS: last_words(self.thread)})
        anchor = self.thread[place].turn.number
        cause = self._cause(anchor, fix)
        seen = self._seen(place, (*fix, *cause))
        if not claimed(self.thread, place, fix):
            done, reply = left_open(self.thread, place, fix)
            said = (*reply, *last_words(self.thread), *fix, *cause, *seen)
            every = [*done, *said, *self._rest(place)]
            status = tuple(s for n, s in enumerate(every) if s not in every[:n] and s not in done)
            return Found(Outcome.NO_FIX, None, {Part.DONE: done, Part.STATUS: status})
        return Found(self._outcome(fix), anchor, {Part.FIX: fix, Part.CAUSE: cause, Part.FOUND: seen})

    def _rest(self, place: int) -> Iterator[Marked]:
        """Yield what else staff said that no reply parts from it, the message itself first."""
        begins = max((p for p in range(1, place) if self.thread[p].turn.by_requester), default=0)
        run = [turn for turn in self.thread[place:begins:-1] if not turn.hostile]
        yield from (s for turn in run for s in turn.marked if not s.has(Cue.CHATTER, Cue.INJECTED))

    def _anchor(self, able: Mapping[int, float]) -> int | None:
        """Return the place of the message to cut from: the requester's who found it, else the last that mended."""
        told = [place for place in able if self._fix(place)]
        theirs = [place for place in told if self.thread[place].turn.by_requester]
        if theirs:
            return max(theirs, key=lambda place: able[place])
        run = unparted(self.thread, told)
        return max([p for p in run if any(s.has(Cue.DONE) for s in self._fix(p))] or run, default=None)

    def _without_claims(self, scores: Mapping[int, float]) -> Found:
        """Return the likeliest message alone: without cues, nothing is known of what it says."""
        if not scores:
            return Found(Outcome.UNKNOWN)
        staff = unparted(self.thread, [place for place in scores if not self.thread[place].turn.by_requester])
        best = self.thread[max(staff or scores, key=lambda place: scores[place])]
        return Found(Outcome.UNKNOWN, best.turn.number, {Part.ANSWER: best.marked[:MOST_SENTENCES]})

    @cached_property
    def _last_failed(self) -> int:
        """Return the place of the last message that says it still fails, if somebody went on after it; 0 without."""
        for place in range(len(self.thread) - 1, 0, -1):
            if self._unsettled(place) and not self.thread[place].hostile and self._went_on(place):
                return place - self._told_on(place)  # who says so may go on in the same message
        return 0

    def _unsettled(self, place: int) -> bool:
        """Return whether a message says that it still fails, or is a reply without thanks to which staff did more."""
        turn = self.thread[place]
        if turn.unhappy:
            return True
        neutral = turn.turn.by_requester and not turn.happy and not turn.count(Cue.SELF_FIX) and place != self._told
        staff = (p for p in self._after(place) if not self.thread[p].turn.by_requester and self._may_solve(p))
        return neutral and any(any(map(self._statement, self.thread[p].marked)) for p in staff)

    def _went_on(self, place: int) -> bool:
        later = (self._may_solve(p) and any(map(self._statement, self.thread[p].marked)) for p in self._after(place))
        return self._told_on(place) or any(later)

    def _told_on(self, place: int) -> bool:
        """Return whether who says that it failed tells in the same message what was done then."""
        turn = self.thread[place]
        return turn.overcame > 0 if turn.turn.by_requester else any(map(self._statement, turn.marked))

    def _after(self, place: int) -> range:
        return range(place + 1, len(self.thread))

    @cached_property
    def _still_failing(self) -> bool:
        """Return whether the last that the requester said of it is that it fails, and nothing was done since."""
        theirs = [p for p in self._after(self._last_failed) if self.thread[p].turn.by_requester]
        return bool(theirs) and self.thread[theirs[-1]].unhappy and not self._went_on(theirs[-1])

    def _statement(self, marked: Marked) -> bool:
        return self.score(marked, Part.FIX) > 0

    @cached_property
    def _told(self) -> int | None:
        return told_by_requester(self.thread)

    def _may_solve(self, place: int) -> bool:
        """Return whether a message may hold a fix: staff's, or the requester's who found it without them."""
        turn = self.thread[place]
        if turn.hostile or place == 0:
            return False
        if not turn.turn.by_requester or place == self._told:
            return True
        alone = all(each.turn.by_requester or not each.marked for each in self.thread[:place])
        return (not turn.unhappy or turn.overcame > 0) and (
            turn.count(Cue.SELF_FIX) > 0 or (alone and turn.count(Cue.ACTION) > 0)
        )

    def _worth(self, marked: Marked, place: int, *, failed: bool) -> float:
        """Return how well a sentence says what helped; of who found it themselves, whatever says anything does."""
        vain = marked.has(Cue.FAILED) and not marked.has(Cue.CONFIRM) and not (failed and marked.has(Cue.ACTION))
        score = -1.0 if vain else self.score(marked, Part.FIX)
        tells = len(marked.sentence.text.split()) >= SHORT and not marked.has(*_SAYS_NO_FIX)
        return max(score, TOLD) if tells and self.thread[place].turn.by_requester else score

    def _fix(self, place: int) -> tuple[Marked, ...]:
        """Return the sentences of a message that say what helped; "no effect on your files" did, if it was thanked."""
        turn = self.thread[place]
        for failed in (False, *(True for reply in self.thread[place + 1 : place + 2] if reply.thanks)):
            told = [(self._worth(s, place, failed=failed), s) for s in turn.marked[turn.overcame :]]
            best = sorted((pair for pair in told if pair[0] > 0), key=lambda pair: -pair[0])[:MOST_SENTENCES]
            if near := [s for worth, s in best if worth >= max(best[0][0] - WITHIN, 0.1)]:
                return tuple(sorted(near, key=lambda s: s.sentence.place))
        return ()

    def _ended(self, fix: Sequence[Marked]) -> tuple[Outcome | None, tuple[Marked, ...]]:
        """Return how the ticket ended without a fix, and the sentences that say so; (None, ()) where it did not."""
        happy = max((p for p, t in enumerate(self.thread) if p and t.turn.by_requester and t.happy), default=0)
        staff = [p for p in self._after(self._last_failed) if not self.thread[p].turn.by_requester]
        told = [
            s
            for place in [p for p in staff if not self.thread[p].hostile][-LAST_MESSAGES:]
            for s in self.thread[place].marked
            if s.has(*ENDED)
            and not s.has(Cue.DONE, Cue.IF, Cue.HEDGE)
            and self.score(s, Part.REASON) > 0
            and (place > happy or s.has(Cue.DECLINED, Cue.DUPLICATE))
        ]
        weight = {kind: sum(s.cues.get(kind, 0) for s in told) for kind in ENDED}
        done = sum(s.has(Cue.ACTION, Cue.DONE) and not s.has(*ENDED) for s in fix)
        kind = max(weight, key=lambda each: weight[each])
        if weight[kind] == 0 or (kind is not Cue.DUPLICATE and weight[kind] < done):
            return None, ()
        best = sorted([*self._before(told), *told], key=lambda s: -self.score(s, Part.REASON))[:MOST_SENTENCES]
        return ENDED[kind], tuple(sorted(best, key=lambda s: (s.sentence.number, s.sentence.place)))

    def _before(self, told: Sequence[Marked]) -> Iterator[Marked]:
        """Yield the sentence before a brief reason: "We talked about it. I have to leave it."."""
        if sum(len(s.sentence.text.split()) for s in told) < BRIEF:
            first = (told[0].sentence.number, told[0].sentence.place - 1)
            every = (s for turn in self.thread for s in turn.marked if self._statement(s) and not s.has(Cue.HEDGE))
            yield from (s for s in every if (s.sentence.number, s.sentence.place) == first)

    def _outcome(self, fix: Sequence[Marked]) -> Outcome:
        numbers = {s.sentence.number for s in fix}
        if all(turn.turn.by_requester for turn in self.thread if turn.turn.number in numbers):
            return Outcome.SELF_FIXED
        return Outcome.WORKAROUND if any(s.has(Cue.WORKAROUND) for s in fix) else Outcome.FIXED

    def score(self, marked: Marked, part: Part) -> float:
        """Return how well a sentence fits a part; below 0 where it must not stand there."""
        return self.weights.score(marked, part)

    def _cause(self, anchor: int, fix: Sequence[Marked]) -> tuple[Marked, ...]:
        """Return the sentence that says best why it happened: in the message of the fix, or near it."""
        told = [
            (self.score(s, Part.CAUSE) + 1.5 / (1 + abs(anchor - turn.turn.number)), s)
            for place, turn in enumerate(self.thread)
            if place and not turn.hostile and (not turn.turn.by_requester or turn.turn.number == anchor)
            for s in turn.marked
            if s.has(Cue.CAUSE)
            and s not in fix
            and (turn.turn.number == anchor or not s.has(Cue.IF, Cue.RESULT, Cue.HEDGE))
            and self.score(s, Part.CAUSE) > 0
            and (place > self._last_failed or not s.has(Cue.ACTION))
        ]
        return (max(told, key=lambda pair: pair[0])[1],) if told else ()

    def _seen(self, place: int, shown: Sequence[Marked]) -> tuple[Marked, ...]:
        """Return what else the fix's message says: people say what they saw, then what they did."""
        turn = self.thread[place]
        aside = (*(_THEIR_ASIDE if turn.turn.by_requester else _ASIDE), Cue.DONE, Cue.REQUEST, Cue.IF, Cue.ATTEMPT)
        told = (s for s in turn.marked[turn.overcame :] if s not in shown and not s.has(*aside))
        able = [s for s in told if self.score(s, Part.FOUND) >= 0 and len(s.sentence.text.split()) >= SHORT]
        return tuple(sorted(able, key=lambda s: not s.has(Cue.CAUSE))[:2])

    @property
    def able(self) -> frozenset[int]:
        """The numbers of the messages that may hold the fix: after what failed last, by who may have solved it."""
        places = range(self._last_failed + 1, len(self.thread))
        return frozenset(self.thread[place].turn.number for place in places if self._may_solve(place))

    @property
    def settled(self) -> bool:
        """Whether the last that the requester said is that it works."""
        theirs = [turn for turn in self.thread[1:] if turn.turn.by_requester]
        return bool(theirs) and theirs[-1].happy

    def problem(self) -> tuple[Marked, ...]:
        """Return the sentence of the opening that says best what is wrong or wanted; none of an order to us."""
        able = [s for turn in self.thread[:1] for s in turn.marked if not s.has(Cue.INJECTED)]
        quotes = next((n for n, s in enumerate(able) if s.sentence.text.endswith(":")), 0)
        asked = [s for s in able[:quotes] if asks(s)]  # what is asked before other people's words, not those
        scored = [(self.score(s, Part.PROBLEM) - 0.35 * s.sentence.place, s) for s in asked or able]
        return (max(scored, key=lambda pair: pair[0])[1],) if scored else ()

    def tried(self) -> Iterator[Marked]:
        """Yield what was done before it still failed, the latest first."""
        for place in range(self._last_failed, 0, -1):
            turn = self.thread[place]
            if not turn.turn.by_requester and not turn.hostile:
                yield from (s for s in turn.marked if s.has(Cue.ACTION) and self.score(s, Part.TRIED) > 0)
