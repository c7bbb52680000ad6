"""Settings of how Rolecall is judged: random checks, and the report that rests on them."""

from __future__ import annotations

from pydantic import Field

from agent.config.section import Section


class ChecksSettings(Section):
    """Random checks: which share of tickets is put to reviewers whatever was suggested."""

    share: float = Field(default=0.05, ge=0, le=1)


class ReportSettings(Section):
    """The week in numbers: whether it names who was corrected."""

    persons: bool = False
