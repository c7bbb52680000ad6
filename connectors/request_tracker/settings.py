"""What an operator sets to connect a Request Tracker."""

from __future__ import annotations

import re
from dataclasses import field
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from connectors.http import base_url, in_clear
from connectors.proofs import standard_webhooks
from connectors.signing import key_of

LEAST_KEY = 16
"""Bytes of a secret."""

CLOSED = ("resolved", "rejected", "deleted")
"""The inactive statuses of RT's own lifecycle."""


def _token(value: str) -> str:
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError("has to be one word of printable ASCII")
    return value


def _signing_secrets(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError("needs at least one secret: whsec_ and base64, as `openssl rand -base64 32` makes it")
    if any(len(key_of(standard_webhooks(), value)) < LEAST_KEY for value in values):
        raise ValueError(f"needs {LEAST_KEY} bytes or more behind whsec_: `openssl rand -base64 32` makes 32")
    return values


def _existing_file(value: str) -> str:
    if not Path(value).is_file():
        raise ValueError("there is no such file")
    return value


Name = Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class RequestTrackerSettings:
    """One Request Tracker and the account that Rolecall uses there; values are validated when it is built."""

    url: Annotated[str, AfterValidator(base_url)]
    """Where RT answers: `/REST/2.0/` and `/Ticket/Display.html` follow it."""

    token: Annotated[str, AfterValidator(_token)] = field(repr=False)
    """Authentication token of a privileged user that nobody else uses."""

    webhook_secrets: Annotated[
        tuple[str, ...],
        BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
        AfterValidator(_signing_secrets),
    ] = field(repr=False)
    """What our scrip signs with (`$RolecallSecret`). More than one while a secret is being rotated."""

    author_id: Name | None = None
    """Name of that user; the number in its token tells, too."""

    staff: Annotated[tuple[Name, ...], Field(max_length=10_000)] | None = None
    """Names of further users whose commands count, beside the privileged ones, whom RT names."""

    closed: Annotated[tuple[Name, ...], Field(min_length=1)] = CLOSED
    """The statuses of closed tickets: the inactive ones of your lifecycle."""

    tag_field: Name | None = None
    """A custom field for several texts, where Rolecall writes tags; None: it writes none."""

    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 20.0

    ca_file: Annotated[str, AfterValidator(_existing_file)] | None = None
    """Certificate of a private authority that signed RT's own."""

    allow_http: bool = False
    """Send the token unencrypted to another machine: only on a network that is yours alone."""

    @model_validator(mode="after")
    def _keeps_the_token_to_itself(self) -> RequestTrackerSettings:
        if in_clear(self.url) and not self.allow_http:
            raise ValueError("url: http:// would show the token to the network; use https://, or set allow_http = true")
        return self
