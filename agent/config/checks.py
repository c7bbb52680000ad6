"""Settings of how Rolecall is judged: random checks, the report, and the ladder, which rest on them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from agent.config.section import Section


class ChecksSettings(Section):
    """Random checks: which share of tickets is put to reviewers whatever was suggested."""

    share: float = Field(default=0.05, ge=0, le=1)


class ReportSettings(Section):
    """The week in numbers: whether it names who was corrected."""

    persons: bool = False


class LadderSettings(Section):
    """How far each role may go by itself, and what it has to show for it: the lower end of a 95 % interval."""

    start: Literal["shadow", "comment"] = "comment"
    tag_at: float = Field(default=0.85, gt=0, lt=1)
    assign_at: float = Field(default=0.90, gt=0, lt=1)
    policy: Literal["ask", "take"] = "ask"

    @model_validator(mode="after")
    def _upwards(self) -> LadderSettings:
        if self.tag_at > self.assign_at:
            raise ValueError("tag_at must not be above assign_at")
        return self
