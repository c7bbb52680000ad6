"""The table `[secrets]` of the settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

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
    """Where secrets are looked for behind the environment and `.env`, and how often."""

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
