"""The parts that a manifest is made of: values and times, events, requests that read, lists.

An `Expression` is JMESPath, `expressions.py`; other texts may hold placeholders, `placeholders.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from connectors.events import Kind
from connectors.manifest import placeholders
from connectors.manifest.expressions import Expression, compiled
from connectors.manifest.values import Format, pattern_of
from connectors.proofs import Header, Proof


def _pattern(text: str) -> str:
    pattern_of(text)
    return text


def as_list(value: object) -> object:
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
    author_name: Search | None = None
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


class Challenge(Part):
    """An authentic delivery that asks whether somebody is there, answered by what stands in it: JSON, or a text."""

    when: Search
    headers: dict[Header, Search] = Field(default_factory=dict)
    body: Search | None = None


class Receive(Part):
    """Webhooks. `has` holds in all but a challenge. `optional`: [poll] tells the same, secrets may be left out."""

    optional: bool = False
    verify: Annotated[tuple[Proof, ...], BeforeValidator(as_list), Field(min_length=1)]
    challenge: Challenge | None = None
    has: Search
    event: tuple[EventRule, ...] = Field(min_length=1)


class Page(Part):
    """How a list goes on. Of a link or address only the parameters are taken, never where it leads."""

    by: Literal["page", "offset", "next", "cursor", "link", "limit"]
    """"limit": there is no next page; a full one has more behind it, which is asked for by the time of its last row."""
    place: Literal["query", "body", "text"] = Field("query", alias="in")
    """Where the parameters stand: in a body perhaps in a table, `variables.after`; in a text where `{page}` does."""
    param: str | None = None
    first: int | None = Field(None, ge=0, le=1)
    """The number of the first page (1 if left out), or of the first row (0)."""
    next: Search | None = None
    size_param: str | None = None
    size: int = Field(default=100, ge=1, le=1000)
    until: Literal["empty", "short", "repeated"] = "empty"
    most: int = Field(default=20, ge=1, le=200)

    @model_validator(mode="after")
    def _goes_on(self) -> Page:
        if self.by in ("page", "offset", "cursor") and (self.param is None) != (self.place == "text"):
            raise ValueError('needs param: the name of the parameter that turns the page; or in = "text", and {page}')
        if self.by in ("next", "cursor") and self.next is None:
            raise ValueError("needs next: where the answer says how the list goes on")
        if self.by == "limit" and (self.param or self.place != "query"):
            raise ValueError("turns no page: it needs size, and size_param where the list is asked for so many rows")
        if self.by in ("next", "link") and self.place != "query":
            raise ValueError("turns by an address, whose parameters stand in the query")
        return self

    @property
    def begins(self) -> int | str:
        """What asks for the first page."""
        defaults: dict[str, int | str] = {"page": 1, "offset": 0}
        return defaults.get(self.by, "") if self.first is None else self.first


class Ask(Part):
    """A request that reads: a GET, or a POST with a JSON `body` or a `form` where the system is searched so."""

    get: str | None = None
    post: str | None = None
    query: dict[str, Any] = Field(default_factory=dict)
    body: Any = None
    form: dict[str, Any] | None = None
    headers: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_one_request(self) -> Ask:
        if (self.get is None) == (self.post is None):
            raise ValueError("needs either get or post")
        if (self.body is not None or self.form is not None) and self.post is None:
            raise ValueError("body and form need post: a GET has none")
        if self.body is not None and self.form is not None:
            raise ValueError("is sent either as body or as form")
        return self

    @property
    def request(self) -> tuple[str, str]:
        """Method and path."""
        return ("GET", self.get) if self.get is not None else ("POST", self.post or "")


class Each(Ask):
    """The request that reads a row of a list that tells too little of it: `{item}` is what `item` yields of the row."""

    item: Search
    at: Search | None = None
    most: int = Field(default=200, ge=1, le=1000)


class Rows(Ask):
    """A list of the API: its request, and where the rows are in an answer. `each`: they are read one by one."""

    rows: Search
    page: Page | None = None
    each: Each | None = None

    @model_validator(mode="after")
    def _has_room_for_the_page(self) -> Rows:
        if self.page is not None and self.page.place == "text":
            if "page" not in placeholders.names([*self.request, self.query, self.body, self.form]):
                raise ValueError('page in = "text" needs {page} in the address, the query or the body')
            if self.page.size_param is not None:
                raise ValueError('page in = "text": the size stands in the request, and in size')
        if self.page is not None and self.page.place == "body":
            if self.post is None:
                raise ValueError('page in = "body" needs post: a GET has none')
            for param in (self.page.param, self.page.size_param):
                table = self.body or {}
                for name in (param or "").split(".")[:-1]:
                    table = table.get(name, {}) if isinstance(table, dict) else None
                if not isinstance(table, dict):
                    raise ValueError(f"page: the body has no table for {param}")  # noqa: TRY004 - pydantic reports ValueError
        return self


class Step(Ask):
    """A request made before another one, in which `{name}` stands for what it finds in the answer."""

    name: Name
    value: Search


class Comments(Part):
    """Where a ticket's comments are: a list of their own, or `inside` the ticket as it was read."""

    get: str | None = None
    post: str | None = None
    query: dict[str, Any] = Field(default_factory=dict)
    body: Any = None
    form: dict[str, Any] | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    rows: Search | None = None
    page: Page | None = None
    inside: Search | None = None
    each: Each | None = None
    """Rows are read one by one."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Comments:
        asks = self.get is not None or self.post is not None
        if asks == (self.inside is not None) or asks != (self.rows is not None):
            raise ValueError("needs either get (or post) and rows, or inside")
        _ = self.listing
        return self

    @property
    def listing(self) -> Rows | None:
        """The request, None where the comments are inside the ticket."""
        if self.rows is None:
            return None
        given = {name: getattr(self, name) for name in (*Ask.model_fields, "page")}
        return Rows(rows=self.rows, **given)
