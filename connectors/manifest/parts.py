"""The parts that a manifest is made of: values and times, events, access to an API, lists.

An `Expression` is JMESPath, `expressions.py`; other texts may hold placeholders, `placeholders.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from connectors.events import Kind
from connectors.manifest.expressions import Expression, compiled
from connectors.manifest.values import Format, pattern_of
from connectors.proofs import Header, Proof


def _pattern(text: str) -> str:
    pattern_of(text)
    return text


def _list(value: object) -> object:
    """Return one as a list of one."""
    return value if isinstance(value, list | tuple) else [value]


def _moment(value: object) -> object:
    """Return a bare expression as a moment in ISO 8601."""
    return {"at": value} if isinstance(value, str) else value


Search = Annotated[Expression, BeforeValidator(compiled)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Part(BaseModel):
    """A table of a manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True)


class Moment(Part):
    """A time; `time` is its form, and `utc` says that it is UTC where it names no zone."""

    at: Search
    time: str = "iso"
    utc: bool = False


Time = Annotated[Moment, BeforeValidator(_moment)]


class Setting(Part):
    """What the operator sets for such a system beside what every connector has."""

    says: str
    default: str | None = None
    pattern: Pattern = r"[!-~]+"


class WrittenComment(Part):
    """Where a comment stands, in an API answer or in a delivery."""

    id: Search
    author: Search | None = None
    author_kind: Search | None = None
    """Yields "staff", "requester" or "system"; anything else is unknown."""
    text: Search
    format: Format = "plain"
    internal: Search | None = None
    """Yields true where only staff can read it, false where the requester can, too."""
    created_at: Time | None = None
    skip: Search | None = None
    """Holds for rows that are no comments."""


class EventRule(Part):
    """What has happened if `when` holds in a delivery."""

    when: Search
    kind: Literal[Kind.CREATED, Kind.COMMENTED, Kind.EDITED, Kind.CLOSED, Kind.REOPENED, Kind.MOVED]
    ticket: Search
    each: Search | None = None
    """A list in the delivery, each element of which is an event of its own: `item` in the other expressions."""
    id: Search | None = None
    at: Time | None = None
    actor: Search | None = None
    comment: WrittenComment | None = None

    @model_validator(mode="after")
    def _says_what_was_said(self) -> EventRule:
        if self.kind is Kind.COMMENTED and self.comment is None:
            raise ValueError("a comment that the delivery does not hold is found by [poll]: leave this rule out")
        return self


class Receive(Part):
    """Webhooks. `has` holds in every delivery of this system; one in which it does not is malformed."""

    verify: Annotated[tuple[Proof, ...], BeforeValidator(_list), Field(min_length=1)]
    has: Search
    event: tuple[EventRule, ...] = Field(min_length=1)


class HeaderAuth(Part):
    """A token in a header."""

    by: Literal["header"]
    header: Header
    value: str


class BasicLogin(Part):
    """HTTP Basic."""

    by: Literal["basic"]
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
    send: Literal["form", "json", "basic"] = "form"

    @model_validator(mode="after")
    def _begins_with_a_log_in(self) -> ClientCredentials:
        if (self.grant == "refresh_token") != (self.refresh_token is not None):
            raise ValueError('grant = "refresh_token" needs refresh_token, and no other grant does')
        return self


Auth = Annotated[HeaderAuth | BasicLogin | ClientCredentials, Field(discriminator="by")]


class ErrorRule(Part):
    """What an answer means. The first rule that fits decides, before the general ones."""

    status: Annotated[tuple[int, ...], BeforeValidator(_list)]
    when: Search | None = None
    means: Literal["wait", "not-found", "permanent", "unsure", "busy", "ignore"] = Field(alias="is")


class Wait(Part):
    """The header that says how long to wait, where it is not Retry-After."""

    header: Header
    unit: Literal["seconds", "unix"] = "seconds"


class Api(Part):
    """How to reach the API. `headers` are sent with every request."""

    base: str
    auth: Auth
    headers: dict[str, str] = Field(default_factory=dict)
    error: tuple[ErrorRule, ...] = ()
    wait: Wait | None = None


class Page(Part):
    """How a list goes on. Of a link or address only the parameters are taken, never where it leads."""

    by: Literal["page", "offset", "next", "cursor", "link"]
    param: str | None = None
    first: int = 1
    next: Search | None = None
    size_param: str | None = None
    size: int = Field(default=100, ge=1, le=1000)
    until: Literal["empty", "short"] = "empty"
    most: int = Field(default=20, ge=1, le=200)

    @model_validator(mode="after")
    def _goes_on(self) -> Page:
        if self.by in ("page", "offset", "cursor") and self.param is None:
            raise ValueError("needs param: the name of the parameter that turns the page")
        if self.by in ("next", "cursor") and self.next is None:
            raise ValueError("needs next: where the answer says how the list goes on")
        return self


class Rows(Part):
    """A list of the API: its request, and where the rows are in an answer."""

    get: str
    query: dict[str, Any] = Field(default_factory=dict)
    rows: Search
    page: Page | None = None


class Comments(Part):
    """Where a ticket's comments are: a list of their own, or `inside` the ticket as it was read."""

    get: str | None = None
    query: dict[str, Any] = Field(default_factory=dict)
    rows: Search | None = None
    page: Page | None = None
    inside: Search | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Comments:
        if (self.get is None) == (self.inside is None) or (self.get is None) != (self.rows is None):
            raise ValueError("needs either get and rows, or inside")
        return self

    @property
    def listing(self) -> Rows | None:
        """The request, None where the comments are inside the ticket."""
        if self.get is None or self.rows is None:
            return None
        return Rows(get=self.get, query=self.query, rows=self.rows, page=self.page)
