"""The table of requests to forget, which outlive what they deleted."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from agent.store.coordination import time_column


class Forgotten(SQLModel, table=True):
    """A request to forget that was carried out. `value`: a pseudonym or, of kind "before", a time; never a text."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_column=time_column())
    kind: str
    value: str
