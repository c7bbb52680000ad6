"""The table `[notify]`."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from agent.config.section import Section


class NotifySettings(Section):
    """Who is told of trouble, and of which."""

    urls: tuple[SecretStr, ...] = ()
    down_minutes: float = Field(default=30, gt=0)
    expiry_days: float = Field(default=14, gt=0)
    most_per_day: int = Field(default=10, ge=1)
    week: bool = False

    @field_validator("urls", mode="before")
    @classmethod
    def _one_or_none(cls, value: object) -> object:
        return () if value == "" else (value,) if isinstance(value, str) else value
