"""How a manifest says that an API is reached: its address, who we are to it, and what its answers mean."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, model_validator

from connectors.manifest.parts import Part, Search, as_list
from connectors.proofs import Header

_Token = TypeVar("_Token", "ClientCredentials", "LogIn")


class HeaderAuth(Part):
    """A token in a header."""

    by: Literal["header"]
    header: Header
    value: str

    @property
    def sends(self) -> bool:
        """The header is sent."""
        return True


class BasicLogin(Part):
    """HTTP Basic, or Digest, whose first request is refused with a challenge (RFC 7617, 7616)."""

    by: Literal["basic", "digest"]
    user: str
    password: str


class ClientCredentials(Part):
    """OAuth 2, by client credentials, a password or a refresh token (RFC 6749, 4.4, 4.3 and 6).

    A refused token is asked for once more. `refresh_token` is the one of the first log-in: each renewal gives another.
    """

    by: Literal["oauth2"]
    token_url: str
    grant: Literal["client_credentials", "password", "refresh_token"] = "client_credentials"
    client_id: str
    client_secret: str
    user: str | None = None
    password: str | None = None
    refresh_token: str | None = None
    scope: str | None = None
    header: Header = "authorization"
    value: str = "Bearer {session}"
    send: Literal["form", "json", "basic"] = "form"

    @model_validator(mode="after")
    def _begins_with_a_log_in(self) -> ClientCredentials:
        if (self.grant == "refresh_token") != (self.refresh_token is not None):
            raise ValueError('grant = "refresh_token" needs refresh_token, and no other grant does')
        return _sends_the_token(self)

    @property
    def sends(self) -> bool:
        """The token stands in the header."""
        return bool(self.value)


class LogIn(Part):
    """A log-in whose answer holds a token for a while; a refused one is asked for once more.

    `token` is where it is in the answer, which is a text where it is no JSON; it stands for `{session}` in `value`, the
    header of every request. Without `token` the answer sets a cookie, which is sent with every request by itself.
    """

    by: Literal["login"]
    post: str
    body: dict[str, Any] | None = None
    form: dict[str, str] | None = None
    token: Search | None = None
    header: Header = "authorization"
    value: str = "Bearer {session}"

    @model_validator(mode="after")
    def _has_its_place(self) -> LogIn:
        if (self.body is None) == (self.form is None):
            raise ValueError("needs either body or form")
        return _sends_the_token(self)

    @property
    def sends(self) -> bool:
        """There is a token, and it stands in the header."""
        return self.token is not None and bool(self.value)


def _sends_the_token(auth: _Token) -> _Token:
    if auth.value and auth.value.count("{session}") != 1:
        raise ValueError('value has to hold {session} once; or be "", with {session} in [api] headers or query')
    return auth


Auth = Annotated[HeaderAuth | BasicLogin | ClientCredentials | LogIn, Field(discriminator="by")]


class ErrorRule(Part):
    """What an answer means. The first rule that fits decides, before the general ones.

    "log-in": the token is not taken any more, as 401 says otherwise; another is asked for, once.
    """

    status: Annotated[tuple[int, ...], BeforeValidator(as_list)]
    when: Search | None = None
    means: Literal["wait", "not-found", "permanent", "unsure", "busy", "ignore", "log-in"] = Field(alias="is")


class Wait(Part):
    """The header that says how long to wait, where it is not Retry-After."""

    header: Header
    unit: Literal["seconds", "unix", "unix-ms"] = "seconds"


class Api(Part):
    """How to reach the API. `headers` and `query` are sent with every request; `{session}` is the token of a log-in."""

    base: str
    auth: Auth
    headers: dict[str, str] = Field(default_factory=dict)
    query: dict[str, Any] = Field(default_factory=dict)
    error: tuple[ErrorRule, ...] = ()
    wait: Wait | None = None

    @model_validator(mode="after")
    def _can_log_in(self) -> Api:
        if self.auth.by not in ("login", "oauth2") and any(rule.means == "log-in" for rule in self.error):
            raise ValueError('is = "log-in" needs auth that asks for a token')
        return self
