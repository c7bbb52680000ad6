"""What calls answer with."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class Suggestion(BaseModel):
    """What Rolecall thinks of a ticket: `kind` is clear, either_or or none."""

    kind: str
    roles: list[str]
    confidence: float | None
    reason: str | None = Field(description="Why there is none, or why it is not posted, in a sentence.")
    at: datetime | None


class KnownRole(BaseModel):
    """The role that people gave a ticket. None of ours has no role."""

    roles: list[str]
    strength: str
    via: str
    by: str | None
    at: datetime


class TicketAnswer(BaseModel):
    """A ticket, and where it stands. Of a random check neither suggestion nor known role is told to reviewers."""

    helpdesk: str
    number: str
    subject: str
    group: str | None
    filed_at: datetime
    closed_at: datetime | None
    random_check: bool
    suggestion: Suggestion | None
    known_role: KnownRole | None
    seen: int = Field(description="The last answer in words; send it with yours, so that yours overtakes nobody's.")


class WholeTicket(TicketAnswer):
    """A ticket with its text as filed, and our comment as it stands; not for an account that sees some tickets only."""

    text: str
    comment: str | None


class Tickets(BaseModel):
    """Tickets, newest first, and where the next page begins."""

    tickets: list[TicketAnswer]
    next: str | None


class RoleEvidence(BaseModel):
    """A role: its confidence, what each voice would give it alone, and from which confidence it is clear."""

    role: str
    confidence: float
    alone: dict[str, float]
    needs: float | None


class RuleEvidence(BaseModel):
    """A rule that hit; `right` of `seen` tickets with known roles were of its role."""

    rule: str
    role: str
    kind: str
    weight: float
    phrases: list[str]
    right: int | None
    seen: int


class SimilarTicket(BaseModel):
    """A similar ticket with a known role; `fix` is what helped, where that was recorded."""

    helpdesk: str
    number: str
    subject: str
    roles: list[str]
    similarity: float
    fix: str | None


class Explanation(BaseModel):
    """A suggestion with what led to it; `why` says it in the sentences of `rolecall predict` and `/role why`."""

    kind: str
    roles: list[str]
    confidence: float | None
    why: list[str]
    evidence: list[RoleEvidence]
    rules: list[RuleEvidence]
    similar: list[SimilarTicket]
    model: str | None
    rules_version: str


class DecisionAnswer(BaseModel):
    """One line of the ledger: what was decided on a ticket."""

    id: int
    helpdesk: str
    number: str
    at: datetime
    kind: str
    roles: list[str]
    confidence: float | None
    reason: str
    model: str | None
    rules_version: str


class Decisions(BaseModel):
    """Decisions, newest first, and where the next page begins. Those on random checks that wait are left out.

    For an account that does not see every ticket, a page may hold fewer than `limit`: go on with `next` until null.
    """

    decisions: list[DecisionAnswer]
    next: int | None


class Summary(BaseModel):
    """Where a ticket stands, in sentences cut from its messages; null where these say nothing."""

    text: str | None


class RoleAnswer(BaseModel):
    """A role that can be named."""

    name: str
    aliases: list[str]
    description: str | None


class Account(BaseModel):
    """For whom a token acts."""

    name: str
    rights: str


class Share(BaseModel):
    """So many of so many, with the 95 % interval (Wilson)."""

    right: int
    count: int
    low: float
    high: float


class Correction(BaseModel):
    """How often one role had to be another."""

    suggested: str
    right: str
    times: int


class Report(BaseModel):
    """A week in numbers; `markdown` is the report as people read it. `right_when_clear`: by random checks alone."""

    week: str
    received: int
    clear: int
    either_or: int
    none: int
    reasons: dict[str, int]
    right_when_clear: Share
    random_checks_drawn: int
    random_checks_answered: int
    with_feedback: int
    corrected: int
    corrections: list[Correction]
    by_role: dict[str, int]
    markdown: str
