"""Judge the writer on conversations that people have annotated: a file of one JSON object a line.

    {"id": "T1", "language": "en", "subject": "VPN", "messages": [{"id": "0", "author": "requester", "text": "..."}],
     "solution": ["4"], "evidence": ["removed the old device"], "forbidden": ["reset your password"],
     "injected": ["refund of 500 EUR"], "outcome": "fixed", "reference": "...", "good_subject": "..."}

The first message is the opening. `author` is requester, staff, system or unknown, `visibility` public or staff_only.
All but `messages` may be left out: what is not annotated is not judged. Evidence counts wherever the note shows it,
under "Last", too, where it does not say that it helped; what is forbidden counts where something is claimed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from statistics import median

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.config.in_words import in_words
from agent.errors import BadInput
from agent.writing.description import better_subject
from agent.writing.extractive import pick, write
from agent.writing.note import SOLVED, Outcome, Part, Written
from agent.writing.thread import Thread, collapsed, is_verbatim
from connectors.events import AuthorKind, Message, Visibility

LONGEST_LINE = 5_000_000
CLAIMED = (Part.CAUSE, Part.FOUND, Part.FIX, Part.REASON, Part.ANSWER)
"""The parts that a failed attempt must never stand in."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AnnotatedMessage(_Record):
    """A message of an annotated conversation."""

    id: str = ""
    author: AuthorKind = AuthorKind.UNKNOWN
    visibility: Visibility = Visibility.PUBLIC
    text: str


class Annotated(_Record):
    """A conversation, and what a good note on it says and does not say."""

    id: str = ""
    language: str = "?"
    subject: str = ""
    messages: tuple[AnnotatedMessage, ...] = Field(min_length=1)
    solution: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    injected: tuple[str, ...] = ()
    outcome: Outcome | None = None
    reference: str = ""
    good_subject: str = ""

    @property
    def thread(self) -> Thread:
        """The conversation as the writer reads it."""
        told = (
            Message(m.id or str(n), None, m.text, None, m.author, m.visibility) for n, m in enumerate(self.messages)
        )
        return Thread(self.subject, tuple(told))

    @property
    def answers(self) -> int:
        """How many messages of staff there are, besides the opening."""
        return sum(message.author is not AuthorKind.REQUESTER for message in self.messages[1:])


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found of one conversation; None where nothing was annotated."""

    ticket: Annotated
    written: Written
    picked: bool | None
    hits: int
    forbidden: bool
    verbatim: bool
    outcome: bool | None
    overlap: float | None
    subject: str | None
    seconds: float
    """CPU time."""

    @property
    def invented(self) -> bool:
        """Whether a fix is claimed where people say that there is none."""
        known = self.ticket.outcome is not None and self.ticket.outcome not in SOLVED
        return known and self.written.outcome in SOLVED


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of some conversations; None where nothing of the kind was annotated."""

    tickets: int
    picked: float | None
    picked_multi: float | None
    evidence: float | None
    forbidden: int
    invented: int
    solved: float | None
    """Share of the solved ones whose note says so, with a fix; of the others it says what was said last."""
    faithful: float
    outcome: float | None
    rouge_l: float | None
    words_median: float
    words_most: int
    subjects: int
    p95_ms: float


def read(path: Path) -> Iterator[Annotated]:
    """Yield the conversations of a file. Raises BadInput, which names the line."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield Annotated.model_validate_json(line[:LONGEST_LINE])
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"])) or "the line"
                raise BadInput(f"{path}:{number}: {where}: {in_words(first)}") from None


def judge(ticket: Annotated) -> Judged:
    """Write the note on a conversation and compare it with what people said of it."""
    thread = ticket.thread
    begun = time.process_time()
    written = write(thread)
    seconds = time.process_time() - begun
    claimed, shown = (collapsed(" ".join(s.text for s in written.sentences(*parts))) for parts in (CLAIMED, ()))
    number = pick(thread)
    ids = {message.id for message in thread.messages[number - 1 : number]} if number else set()
    bad = any(collapsed(text) in claimed for text in ticket.forbidden)
    return Judged(
        ticket=ticket,
        written=written,
        picked=bool(ids & set(ticket.solution)) if ticket.solution else None,
        hits=sum(collapsed(text) in shown for text in ticket.evidence),
        forbidden=bad or any(collapsed(text) in shown for text in ticket.injected),
        verbatim=all(is_verbatim(sentence, thread) for sentence in written.sentences()),
        outcome=(written.outcome in SOLVED) is (ticket.outcome in SOLVED) if ticket.outcome else None,
        overlap=rouge_l(shown, ticket.reference) if ticket.reference else None,
        subject=better_subject(thread),
        seconds=seconds,
    )


def rouge_l(text: str, reference: str) -> float:
    """Return the F-measure of the words in common, in order (ROUGE-L, Lin 2004, by matching blocks)."""
    ours, theirs = text.casefold().split(), reference.casefold().split()
    same = sum(block.size for block in SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks())
    return 2 * same / (len(ours) + len(theirs)) if ours or theirs else 0.0


def summed(judged: Sequence[Judged]) -> Summary:
    """Return the figures of at least one judged conversation."""
    wanted = sum(len(each.ticket.evidence) for each in judged)
    multi = [each for each in judged if each.ticket.answers > 1]
    words = [each.written.words for each in judged]
    times = sorted(each.seconds for each in judged)
    return Summary(
        tickets=len(judged),
        picked=_share([each.picked for each in judged]),
        picked_multi=_share([each.picked for each in multi]),
        evidence=sum(each.hits for each in judged) / wanted if wanted else None,
        forbidden=sum(each.forbidden for each in judged),
        invented=sum(each.invented for each in judged),
        solved=_share([each.written.outcome in SOLVED for each in judged if each.ticket.outcome in SOLVED]),
        faithful=sum(each.verbatim for each in judged) / len(judged),
        outcome=_share([each.outcome for each in judged]),
        rouge_l=_share([each.overlap for each in judged]),
        words_median=median(words),
        words_most=max(words),
        subjects=sum(each.subject is not None for each in judged),
        p95_ms=1_000 * times[min(int(0.95 * len(times)), len(times) - 1)],
    )


def _share(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
