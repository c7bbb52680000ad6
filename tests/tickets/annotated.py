"""All annotated conversations as the writer is judged on them: sixty tickets, some in other languages, later ones."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from agent.writing.judging import Annotated, AnnotatedMessage, read
from agent.writing.note import Outcome
from connectors.events import AuthorKind, Visibility
from tests.tickets.conversations import CLOSURE_NOTE, Author, Conversation, load_conversations

HERE = Path(__file__).parent
LANGUAGES = HERE / "languages.jsonl"
TRAPS = HERE / "traps.jsonl"
SUBJECTS = HERE / "subjects.jsonl"
LATER = {
    "third": HERE / "later.jsonl",
    "fourth": HERE / "fourth.jsonl",
    "fifth": HERE / "fifth.jsonl",
    "sixth": HERE / "sixth.jsonl",
    "seventh": HERE / "seventh.jsonl",
    "eighth": HERE / "eighth.jsonl",
    "ninth": HERE / "ninth.jsonl",
    "tenth": HERE / "tenth.jsonl",
    "eleventh": HERE / "eleventh.jsonl",
}
KINDS = {
    Author.REQUESTER: AuthorKind.REQUESTER,
    Author.STAFF: AuthorKind.STAFF,
    Author.VENDOR: AuthorKind.UNKNOWN,
    Author.AGENT: AuthorKind.SYSTEM,
}


def annotated(half: str = "both") -> list[Annotated]:
    """Return the conversations: "first", with which the cues were made, "second", opened last; those of `LATER`."""
    if half in LATER:
        return list(read(LATER[half]))
    every = [list(map(of_conversation, load_conversations())), list(read(LANGUAGES))]
    start, step = {"first": (0, 2), "second": (1, 2), "both": (0, 1)}[half]
    return [ticket for tickets in every for ticket in tickets[start::step]]


def judged(ticket: Annotated, subject: str) -> str:
    """Return the hash of a ticket's subject and the suggested one, by which a reader's verdict is known."""
    return hashlib.sha256(f"{ticket.subject}\n{subject}".encode()).hexdigest()[:16]


def verdicts() -> dict[tuple[str, str], bool]:
    """Return by ticket and hash whether the second reader found the suggested subject better than the ticket's own."""
    told = map(json.loads, SUBJECTS.read_text("utf-8").splitlines())
    return {(each["ticket"], each["judged"]): each["better"] for each in told}


def of_conversation(ticket: Conversation) -> Annotated:
    """Return one of the sixty tickets; the note of its closure is its last message."""
    seen = {True: Visibility.STAFF_ONLY, False: Visibility.PUBLIC}
    messages = [AnnotatedMessage(id="0", author=AuthorKind.REQUESTER, text=ticket.body)]
    for told in ticket.messages:
        visibility = seen[told.internal]
        messages.append(
            AnnotatedMessage(id=str(told.n), author=KINDS[told.author], visibility=visibility, text=told.text)
        )
    if ticket.closure.note:
        staff_only = Visibility.STAFF_ONLY
        messages.append(
            AnnotatedMessage(
                id=str(CLOSURE_NOTE), author=AuthorKind.STAFF, visibility=staff_only, text=ticket.closure.note
            )
        )
    gold = ticket.gold
    return Annotated(
        id=ticket.id,
        language="en",
        subject=ticket.subject,
        messages=tuple(messages),
        solution=tuple(dict.fromkeys(str(n) for n, _ in gold.fix)),
        evidence=tuple(text for _, text in (*gold.cause, *gold.fix, *gold.reason)),
        forbidden=tuple(text for _, text in gold.forbidden),
        outcome=Outcome(ticket.closure.outcome.value),
        good_subject=gold.good_subject,
    )
