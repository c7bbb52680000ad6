"""The table `[sign_in]`: a provider that vouches for people, by OpenID Connect, beside passwords."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from agent.config.section import Section
from connectors.http import base_url, in_clear


class SignInSettings(Section):
    """Who vouches for people, and by which of its claims they are known here."""

    issuer: Annotated[str, AfterValidator(base_url)] | None = None
    client_id: str = ""
    client_secret: SecretStr | None = None
    title: str = Field(default="", max_length=60)
    claim: Literal["email", "preferred_username", "upn"] = "email"

    @field_validator("issuer", "client_secret", mode="before")
    @classmethod
    def _left_empty(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len({bool(self.issuer), bool(self.client_id), self.client_secret is not None}) > 1:
            raise ValueError("issuer, client_id and client_secret are set together, or none of them")
        if self.issuer is not None and in_clear(self.issuer):
            raise ValueError("issuer has to begin with https://, but on this machine")
        return self
