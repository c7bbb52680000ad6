"""What an operator sets to connect a django-helpdesk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from connectors.http import base_url, in_clear

OPEN_STATUSES = (1, 2)
"""The server's own TICKET_OPEN_STATUSES: open and reopened. It counts a duplicate (5) among the closed ones."""


def _token(value: str) -> str:
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError("has to be one word of printable ASCII")
    return value


def _user_id(value: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,18}", value):
        raise ValueError("has to be the number of a user, as in /admin/auth/user/NUMBER/change/")
    return value


def _one_or_more(value: object) -> object:
    """Return a bare secret as a list of one: as a variable, a single secret is written without brackets."""
    return [value] if isinstance(value, str) else value


def _path_secrets(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values or not all(re.fullmatch(r"[A-Za-z0-9_.~-]{16,}", value) for value in values):
        raise ValueError("needs at least one secret, each of 16 or more letters, digits, or any of - _ . ~")
    return values


def _existing_file(value: str) -> str:
    if not Path(value).is_file():
        raise ValueError("there is no such file")
    return value


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid", coerce_numbers_to_str=True))
class DjangoHelpdeskSettings:
    """One helpdesk and the account that Rolecall uses there; values are validated when it is built."""

    url: Annotated[str, AfterValidator(base_url)]
    """Where the helpdesk answers: `/api/tickets/` and `/tickets/ID/` follow it."""

    token: Annotated[str, AfterValidator(_token)] = field(repr=False)
    """API token (rest_framework.authtoken) of a staff account that nobody else uses."""

    webhook_secrets: Annotated[tuple[str, ...], BeforeValidator(_one_or_more), AfterValidator(_path_secrets)] = field(
        repr=False
    )
    """Last part of the webhook URL. More than one while a secret is being rotated."""

    author_id: Annotated[str, AfterValidator(_user_id)] | None = None
    """User id of that account. The API cannot be asked for it; the answer to our first comment names it, too."""

    staff: Annotated[tuple[Annotated[str, AfterValidator(_user_id)], ...], Field(max_length=10_000)] | None = None
    """User ids of staff, whose commands count. The API does not tell who is staff; accounts that a ticket was ever
    assigned to count as well."""

    queues: Mapping[str, str] = field(default_factory=dict)
    """Queue id -> slug. Webhooks name the slug, the API only the id; a queue missing here is an unknown group."""

    open_statuses: Annotated[tuple[int, ...], Field(min_length=1)] = OPEN_STATUSES
    """As TICKET_OPEN_STATUSES on the server; a ticket in any other status is closed."""

    page_size: Annotated[int, Field(ge=1, le=1_000)] = 100
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 20.0

    ca_file: Annotated[str, AfterValidator(_existing_file)] | None = None
    """Certificate of a private authority that signed the helpdesk's own."""

    allow_http: bool = False
    """Send the token unencrypted to another machine: only on a network that is yours alone."""

    @model_validator(mode="after")
    def _keeps_the_token_to_itself(self) -> DjangoHelpdeskSettings:
        if in_clear(self.url) and not self.allow_http:
            raise ValueError("url: http:// would show the token to the network; use https://, or set allow_http = true")
        return self
