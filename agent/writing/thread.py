"""A ticket's conversation as sentences, each with its message, so that whatever is cut from it can be traced."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.text.mail_phrases import GREETINGS
from agent.text.own_words import SLASH_ROLE, Origin, lines
from agent.text.reading import plain_text, with_handed_on
from connectors.events import AuthorKind, Message, Ticket, Visibility

MOST_MESSAGES = 200
"""Messages of a thread that are read: the first ones and the last ones."""
LONGEST_MESSAGE = 20_000
"""Characters of a message that are read."""
WRAPPED = 60
"""Characters; a longer line may go on in the next one, broken by a mail program."""

_ENDS = re.compile(r"(?<=[.!?…。！？])[\"'”»)\]*]*\s+(?=[\"'“„«(\[*]*[^\W_])|(?<=[。！？])")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|etc|vs|approx|mr|mrs|ms|dr|prof|st|no|nr|fig|resp|incl|ca|bzw|z\.\s?b|d\.\s?h|u\.\s?a|usw|"
    r"fa|evtl|ggf|inkl|tel|str|abt|hr|fr|mag|ing|dipl|mme|mlle|sra?|srta|dra|lic|arq|mtra?|núm|dpto|p\.\s?ej|[a-z]|\d{1,2})"
    r"\.$",
    re.I,
)
_REFUSAL = re.compile(r"(?:,|[^\w](?:so|is|was|a|and|but))\s+no\.$", re.I)
"""No abbreviation before a number, but an answer."""
_SAID = re.compile(r"(?:[.…!?][\"'”»]|\d\.\d{1,2}\.)$")
"""Words that somebody quotes, or a date: the sentence around them may go on, in small letters."""
_GREETING = re.compile(
    rf"^\W{{0,3}}(?:{'|'.join(GREETINGS)})(?!\w)(?:[ \t]+[\w.'’-]+){{0,4}}?\s*(?:[,!:]+|\s[-–])\s*", re.I
)
_GREETED = re.compile(rf"^\W{{0,3}}(?:{'|'.join(GREETINGS)})(?!\w)(?:\W+\w+){{0,3}}\W*$", re.I)
_LIST_MARK = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+")
_MACHINE = re.compile(
    r"(?<!\w)(?:ai|bot|chatbot|assistant|agent|model|llm|ki|ia|asistente|rolecall|summari[sz]er)(?!\w)", re.I
)
"""Whoever greets one of these may be about to give it orders: what follows is read with its greeting."""
_COMMAND = re.compile(rf"^\W{{0,4}}{SLASH_ROLE}(?!\w)", re.I)
_WORDS = re.compile(r"[^\W_]")
_LINK = re.compile(r"https?://\S+|\bwww\.\S+", re.I)


@dataclass(frozen=True, slots=True)
class Thread:
    """A ticket's subject and its messages, oldest first; the first one is the text that it was opened with."""

    subject: str
    messages: tuple[Message, ...]

    def public(self) -> Thread:
        """Return what the requester can read of it: a message of which that is not known is left out."""
        first = self.messages[:1]
        later = (message for message in self.messages[1:] if message.visibility is Visibility.PUBLIC)
        return Thread(self.subject, (*(m for m in first if m.visibility is not Visibility.STAFF_ONLY), *later))


def as_filed(ticket: Ticket) -> Thread:
    """Return a ticket's subject and text as a thread that nobody has answered."""
    return as_written(ticket.subject, ticket.body, ticket.requester)


def as_written(subject: str, body: str, requester: str | None = None) -> Thread:
    """Return a subject and a text as a thread that nobody has answered."""
    return Thread(subject, (Message(None, requester, body, None, AuthorKind.REQUESTER, Visibility.PUBLIC),))


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as somebody wrote it: `number` of its message in the thread, from 1 for the opening."""

    text: str
    number: int
    message_id: str | None
    place: int
    """Which sentence of its message it is, from 0."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A message as its author's own sentences."""

    number: int
    message: Message
    sentences: tuple[Sentence, ...]
    links: int
    code: int
    """Lines of code."""

    @property
    def words(self) -> int:
        """How many words the sentences have."""
        return sum(len(sentence.text.split()) for sentence in self.sentences)

    @property
    def by_requester(self) -> bool:
        """Whether the requester wrote it, for certain."""
        return self.message.author_kind is AuthorKind.REQUESTER

    @property
    def by_staff(self) -> bool:
        """Whether staff wrote it, for certain: what only staff can read counts, too."""
        kind = self.message.author_kind
        private = self.message.visibility is Visibility.STAFF_ONLY and kind is not AuthorKind.SYSTEM
        return kind is AuthorKind.STAFF or (private and kind is AuthorKind.UNKNOWN)


def turns(thread: Thread) -> tuple[Turn, ...]:
    """Return the messages, those of people divided into sentences; of a very long thread, its two ends."""
    numbered = list(enumerate(thread.messages, start=1))
    if len(numbered) > MOST_MESSAGES:
        numbered = [*numbered[: MOST_MESSAGES // 2], *numbered[-MOST_MESSAGES // 2 :]]
    return tuple(_turn(number, message, thread.subject) for number, message in numbered)


def _turn(number: int, message: Message, subject: str) -> Turn:
    if number > 1 and message.author_kind is AuthorKind.SYSTEM:
        return Turn(number, message, (), 0, 0)
    found = lines(_as_read(number, message, subject))
    own = [line.text if line.origin is Origin.OWN else "" for line in found]
    texts = (text for paragraph in _paragraphs(own) for text in _sentences(paragraph))
    cut = [Sentence(text, number, message.id, place) for place, text in enumerate(texts)]
    code = sum(line.origin is Origin.CODE for line in found)
    return Turn(number, message, tuple(cut), sum(len(_LINK.findall(line)) for line in own), code)


def _as_read(number: int, message: Message, subject: str) -> str:
    """Return a message as plain text: an opening that only hands on somebody's mail with the words of that mail."""
    text = plain_text(message.text[:LONGEST_MESSAGE])
    return with_handed_on(subject, text) if number == 1 else text


def _paragraphs(own: Sequence[str]) -> Iterator[str]:
    """Yield runs of lines that belong together: only a long line, or one in the middle of a sentence, goes on."""
    paragraph: list[str] = []
    for line in (*own, ""):
        text = line.strip()
        goes_on = bool(paragraph) and bool(text) and not _LIST_MARK.match(line) and _continues(paragraph[-1], text)
        if paragraph and not goes_on:
            yield " ".join(paragraph)
            paragraph = []
        if text and not _GREETED.match(text) and not _COMMAND.match(line):
            paragraph.append(text)


def _continues(above: str, text: str) -> bool:
    if above.endswith((".", "!", "?", ":", "…")):
        return False
    return len(above) >= WRAPPED or text[0].islower()


def _sentences(paragraph: str) -> Iterator[str]:
    """Yield the sentences of a paragraph, without the greeting and list mark before them."""
    begins = 0
    text = _LIST_MARK.sub("", paragraph, count=1)
    greeting = _GREETING.match(text)
    text = text[greeting.end() :] if greeting and not _MACHINE.search(greeting[0]) else text
    for end in _ENDS.finditer(text):
        piece = text[begins : end.start()] + text[end.start() : end.end()].rstrip()
        follows = text[end.end() : end.end() + 1]
        if _ABBREVIATION.search(piece[-12:]) and not _REFUSAL.search(piece):
            continue
        if _SAID.search(piece) and follows.islower():
            continue
        if _WORDS.search(piece):
            yield piece.strip()
        begins = end.end()
    if _WORDS.search(text[begins:]):
        yield text[begins:].strip()


def collapsed(text: str) -> str:
    """Return a text as it is compared: each run of blanks and line ends as one blank."""
    return " ".join(text.split())


def is_verbatim(sentence: Sentence, thread: Thread) -> bool:
    """Return whether a sentence, or the beginning that was cut of it, stands in its message as it is."""
    if not 1 <= sentence.number <= len(thread.messages):
        return False
    words, message = collapsed(sentence.text.removesuffix("…").rstrip()), thread.messages[sentence.number - 1]
    read = _as_read(sentence.number, message, thread.subject)
    return words in collapsed(plain_text(message.text)) or words in collapsed(read)
