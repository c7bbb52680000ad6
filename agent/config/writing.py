"""The table `[writing]`: what is written about tickets, and by whom."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from agent.config.section import Section

Closure = Literal["note", "draft", "after 8h", "off"]


class WritingSettings(Section):
    """What is written about tickets. On a desk that is older than this, `closure` is "off" until it is set."""

    closure: Closure = "note"
    summary_above: int = Field(default=150, ge=0, le=100_000)
    llm_url: str = ""
    llm_model: str = ""
    llm_key: SecretStr | None = None
    llm_deadline_seconds: float = Field(default=45, gt=0, le=600)
    llm_tokens_a_day: int = Field(default=500_000, ge=0)

    @field_validator("llm_key", mode="before")
    @classmethod
    def _left_empty(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.llm_url) != bool(self.llm_model):
            raise ValueError("llm_url and llm_model are set together, or neither")
        return self
