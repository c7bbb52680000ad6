"""The invented conversations of `conversations.jsonl`, as frozen values. README.md explains the keys."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

HERE = Path(__file__).parent
BODY, CLOSURE_NOTE = 0, -1
"""The message numbers of the ticket's body and of the note it was closed with."""

Span = tuple[int, str]
"""A message number and a piece of that message's text, character for character."""


class Author(StrEnum):
    """Who wrote a message. `agent` is our own comment, which only staff can see."""

    REQUESTER = "requester"
    STAFF = "staff"
    VENDOR = "vendor"
    AGENT = "agent"


class Outcome(StrEnum):
    """How a ticket ended."""

    FIXED = "fixed"
    WORKAROUND = "workaround"
    SELF_FIXED = "self-fixed"
    DECLINED = "declined"
    DUPLICATE = "duplicate"
    NO_FIX = "no-fix"


SOLVED = frozenset({Outcome.FIXED, Outcome.WORKAROUND, Outcome.SELF_FIXED})


class ExpectedStrength(StrEnum):
    """How much the conversation says about the right role; see `agent.domain.Strength`."""

    CORRECTED = "corrected"
    CONFIRMED = "confirmed"
    CLOSED = "closed"
    NONE = "none"


class Reason(StrEnum):
    """Why a line that looks like a command decides nothing."""

    QUOTED = "quoted"
    NOT_STAFF = "not-staff"
    UNKNOWN_ROLE = "unknown-role"
    INLINE = "inline"
    NOTHING_SUGGESTED = "nothing-suggested"
    SUPERSEDED = "superseded"


class Record(BaseModel):
    """A value that knows its keys and refuses others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Message(Record):
    """One message of a conversation; `internal` ones are hidden from the requester."""

    n: int = Field(ge=1)
    author: Author
    name: str = Field(min_length=1)
    internal: bool
    at: AwareDatetime
    text: str = Field(min_length=1)


class Closure(Record):
    """How, when and by whom the ticket was closed; `group` is the role it was closed in, where there was one."""

    at: AwareDatetime
    group: str | None
    by: str = Field(min_length=1)
    note: str | None
    outcome: Outcome


class NotCounted(Record):
    """A line that looks like a command and must not decide."""

    n: int = Field(ge=BODY)
    line: str
    reason: Reason


class Feedback(Record):
    """What the conversation says about the role: the command that decides, if any, and what must follow from it."""

    suggested: tuple[str, ...] | None
    command: str | None
    n: int | None
    expected_roles: tuple[str, ...] | None
    expected_strength: ExpectedStrength
    not_counted: tuple[NotCounted, ...]


class Gold(Record):
    """What a good write-up says, and what it must not say."""

    problem: tuple[Span, ...] = Field(min_length=1)
    cause: tuple[Span, ...]
    fix: tuple[Span, ...]
    reason: tuple[Span, ...]
    forbidden: tuple[Span, ...]
    good_subject: str = Field(min_length=10, max_length=90)

    @property
    def spans(self) -> tuple[Span, ...]:
        """All spans, the forbidden ones too."""
        return (*self.problem, *self.cause, *self.fix, *self.reason, *self.forbidden)


class Conversation(Record):
    """A ticket from its filing to its closure, with the answers that our features are measured against."""

    id: str = Field(pattern=r"^T\d{2}$")
    created_at: AwareDatetime
    subject: str = Field(min_length=1)
    body: str = Field(min_length=1)
    requester: str = Field(min_length=1)
    true_roles: tuple[str, ...] = Field(max_length=2)
    tags: frozenset[str]
    like: tuple[str, ...]
    messages: tuple[Message, ...]
    closure: Closure
    feedback: Feedback
    gold: Gold

    def text_of(self, n: int) -> str:
        """Return the text of message `n`; 0 is the body, -1 the closure's note."""
        if n == BODY:
            return self.body
        return self.closure.note or "" if n == CLOSURE_NOTE else self.messages[n - 1].text


def load_conversations(path: Path = HERE / "conversations.jsonl") -> tuple[Conversation, ...]:
    """Read the conversations in the order of the file. Raises pydantic.ValidationError."""
    return tuple(Conversation.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines())
