"""All annotated conversations as the writer is judged on them: sixty tickets, some in other languages, later ones."""

from __future__ import annotations

from pathlib import Path

from agent.writing.judging import Annotated, AnnotatedMessage, read
from agent.writing.note import Outcome
from connectors.events import AuthorKind, Visibility
from tests.tickets.conversations import CLOSURE_NOTE, Author, Conversation, load_conversations

HERE = Path(__file__).parent
LANGUAGES = HERE / "languages.jsonl"
LATER = {"third": HERE / "later.jsonl", "fourth": HERE / "fourth.jsonl"}
KINDS = {
    Author.REQUESTER: AuthorKind.REQUESTER,
    Author.STAFF: AuthorKind.STAFF,
    Author.VENDOR: AuthorKind.UNKNOWN,
    Author.AGENT: AuthorKind.SYSTEM,
}


def annotated(half: str = "both") -> list[Annotated]:
    """Return the conversations: "first", with which the cues were made, "second", opened last; "third" and "fourth"."""
    if half in LATER:
        return list(read(LATER[half]))
    every = [list(map(of_conversation, load_conversations())), list(read(LANGUAGES))]
    start, step = {"first": (0, 2), "second": (1, 2), "both": (0, 1)}[half]
    return [ticket for tickets in every for ticket in tickets[start::step]]


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
