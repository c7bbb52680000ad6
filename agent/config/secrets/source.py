"""The protocol of a source of secrets, the values that it returns, and the table `[secrets]`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Protocol

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.errors import RolecallError

PREFIX = "ROLECALL_"
"""The prefix of every name of a setting."""

REFERENCE = "secret:"
"""The prefix of a setting's value that names the secret to use in its place."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value, and where it came from, in words for the operator."""

    value: str = field(repr=False)
    origin: str


class SourceFailed(RolecallError):
    """A source cannot be read; `reason` says what to fix and never holds a secret."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason


class Source(Protocol):
    """One place that keeps secrets."""

    @property
    def name(self) -> str:
        """Its name in `[secrets] sources` and in messages."""

    def read(self, also: Collection[str]) -> Mapping[str, Found]:
        """Return every secret called ROLECALL_..., and those named in `also`, in one piece. Raises SourceFailed."""


def is_wanted(name: str, also: Collection[str]) -> bool:
    """Return whether a source should return the secret of this name."""
    return name.startswith(PREFIX) or name in also


MOUNTED = Path("/run/secrets")
"""Where Docker and Compose mount secrets."""

INFISICAL_CLOUD = "https://app.infisical.com"


def _host(value: str) -> str:
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL:
        raise ValueError("not a URL") from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
        raise ValueError("has to be http:// or https:// with a host, without user, query or fragment")
    return value.rstrip("/")


def _vault(value: str) -> str:
    if not _host(value).startswith("https://"):
        raise ValueError("has to begin with https://")
    return value.rstrip("/")


class SecretsSettings(BaseModel):
    """Where secrets are read from after the environment and `.env`, and how often."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[Literal["files", "infisical", "azure"], ...] = ("files",)
    refresh_seconds: float = Field(default=300, ge=1)
    timeout_seconds: float = Field(default=10, gt=0, le=300)
    files: Path = MOUNTED
    infisical_host: Annotated[str, AfterValidator(_host)] = INFISICAL_CLOUD
    azure_vault: Annotated[str, AfterValidator(_vault)] | None = None

    @field_validator("azure_vault", mode="before")
    @classmethod
    def _left_empty(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _names_the_vault(self) -> SecretsSettings:
        if "azure" in self.sources and self.azure_vault is None:
            raise ValueError('the source "azure" needs azure_vault = "https://NAME.vault.azure.net"')
        return self
