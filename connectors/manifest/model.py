"""The vocabulary of a manifest, version 1: its tables, validated when it is read.

`connectors/README.md` explains each key to those who write one; `parts.py` holds what several tables share.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from connectors.base import Markup
from connectors.manifest import parts
from connectors.manifest.api import Api
from connectors.manifest.parts import Ask, Comments, Name, Part, Pattern, Receive, Rows, Search, Setting, Step, Time
from connectors.manifest.values import ISO, Format

IDS = "[A-Za-z0-9][A-Za-z0-9._:-]{0,63}"


class More(Ask):
    """What another request tells of a ticket: `value` of its answer stands under `name` in the ticket.

    `item` is sought in the ticket, and stands for `{item}` in the request; without it there nothing is asked.
    """

    name: Name
    item: Search | None = None
    value: Search


class Read(Ask):
    """The request for one ticket; `at` is where it is in the answer. `also`: further lists of what people wrote."""

    at: Search | None = None
    more: tuple[More, ...] = Field(default=(), max_length=5)
    comments: Comments
    also: tuple[Comments, ...] = Field(default=(), max_length=5)


class TicketRow(Part):
    """Where the parts of a ticket stand, in what [read] and [poll] yield."""

    id: Search
    subject: Search
    body: Search | None = None
    """None where it is the text of the oldest comment."""
    body_format: Format = "plain"
    first_comment_is_body: bool = False
    group: Search | None = None
    status: Search
    closed: tuple[str, ...] = ()
    """The statuses of closed tickets, compared as text; an operator can set others."""
    created_at: Time | None = None
    closed_at: Time | None = None
    requester: Search | None = None
    assignee: Search | None = None
    tags: Search | None = None
    tags_separator: str | None = Field(None, min_length=1, max_length=3)
    """Tags are one text with this between them."""
    priority: Search | None = None
    merged_into: Search | None = None


class Write(Part):
    """A request that writes or removes a comment."""

    post: str | None = None
    put: str | None = None
    patch: str | None = None
    delete: str | None = None
    steps: tuple[Step, ...] = ()
    """What has to be asked for, or made, before."""
    query: dict[str, Any] = Field(default_factory=dict)
    body: Any = None
    form: dict[str, Any] | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    at: Search | None = None
    """Where the comment is in the answer, as [comment] describes it."""

    @model_validator(mode="after")
    def _is_one_request(self) -> Write:
        if len([path for path in (self.post, self.put, self.patch, self.delete) if path is not None]) != 1:
            raise ValueError("needs one of post, put, patch and delete")
        if self.body is not None and self.form is not None:
            raise ValueError("is sent either as body or as form")
        return self

    @property
    def request(self) -> tuple[str, str]:
        """Method and path."""
        named = {"POST": self.post, "PUT": self.put, "PATCH": self.patch, "DELETE": self.delete}
        return next((method, path) for method, path in named.items() if path is not None)


class Post(Write):
    """The request that posts a comment, and how its id is learnt."""

    format: Markup = Markup.PLAIN
    id: Search | None = None
    author: Search | None = None
    find: Literal["marker"] | None = None
    """The answer names no id: the ticket is read again, and our mark looked for."""
    private: bool = False
    """The requester cannot read it."""
    privately: str | None = None
    """How staff hide a comment from the requester, in the system's own words."""
    keeps_closed: bool = False
    """A comment on a closed ticket does not reopen it."""

    @model_validator(mode="after")
    def _learns_the_id(self) -> Post:
        if (self.id is None) == (self.find is None):
            raise ValueError('needs either id, or find = "marker"')
        return self


class Assign(Write):
    """The request that puts a ticket into `{group}`. `number`: the group's id is one, and is sent as one."""

    number: bool = False


class Groups(Rows):
    """Which groups there are: `name` as [ticket] group has it, `id` as [assign] and [moves] have it; or which tags."""

    name: Search
    id: Search


class Moves(Comments):
    """Where a ticket's moves between groups are; `ids`: they are told by the ids of [groups], not by names."""

    when: Search | None = None
    """Holds for rows that are moves; without it all are."""
    at: Time
    before: Search
    after: Search
    author: Search | None = None
    ids: bool = False


class Poll(Rows):
    """The list of tickets that changed since a time, oldest change first."""

    changed_at: Time | None = None
    """None where rows tell no time: all rows are listed, and what differs from the last look has changed."""
    since: str = ISO
    overlap_seconds: int = Field(default=120, ge=0, le=86_400)
    """Looked at again each time; the events' ids make that harmless."""
    ticket: Search | None = None
    """Where a row names its ticket, in a list of what happened to tickets; without it the rows are tickets."""
    newest_first: bool = False
    """The list begins with the newest change: it is read down to the last look."""
    unordered: bool = False
    """The list is in no order of change: each look reads it to its end."""
    comments_move: bool = True
    """False where a comment is no change of its ticket: all on a changed ticket are told then, however old."""

    @model_validator(mode="after")
    def _tells_its_order(self) -> Poll:
        for order in ("newest_first", "unordered"):
            if getattr(self, order) and self.changed_at is None:
                raise ValueError(f"{order} needs changed_at: where nothing tells a time there is no order")
        if self.unordered and (self.newest_first or (self.page is not None and self.page.by == "limit")):
            raise ValueError('unordered goes neither with newest_first nor with page by = "limit": both need an order')
        return self

    @property
    def ordered(self) -> bool:
        """Whether the list is in the order of its times, oldest first."""
        return self.changed_at is not None and not self.newest_first and not self.unordered


class Check(Ask):
    """The request that tells who we are."""

    author: Search
    says: Search | None = None


class Manifest(Part):
    """One kind of system."""

    manifest: Literal[1]
    name: str
    tried: Literal["on a real server", "on a fake", "on paper only"] = "on paper only"
    secrets: tuple[Name, ...]
    settings: dict[Name, Setting] = Field(default_factory=dict)
    ids: Pattern = IDS
    number_ids: bool = False
    """Ids are sent as numbers where `{ticket}` or `{comment}` is a whole value."""
    ticket_page: str
    sender_retries: bool = False
    setup: str = ""
    """What to click in the system, and the least rights of the account: shown by `rolecall connectors setup`."""
    receive: Receive | None = None
    api: Api
    check: Check | None = None
    ticket: TicketRow
    comment: parts.WrittenComment
    read: Read
    post: Post
    edit: Write | None = None
    """None where a comment cannot be edited."""
    remove: Write | None = None
    """None where a comment cannot be removed."""
    assign: Assign | None = None
    tag: Write | None = None
    """Adds `{tag}`, or makes `{tags}` all that the ticket has."""
    tags: Groups | None = None
    """Which tags there are, where [tag] needs their ids; without it `{tag}` is the name."""
    subject: Write | None = None
    description: Write | None = None
    """Replaces the text that [ticket] body shows, as it is stored."""
    groups: Groups | None = None
    moves: Moves | None = None
    poll: Poll | None = None
    history: Poll | None = None
    """The list that closed tickets of the past are read from, where that of [poll] is not the best one."""

    @model_validator(mode="after")
    def _shows_what_it_changes(self) -> Manifest:
        for name, shown in (("assign", self.ticket.group), ("tag", self.ticket.tags)):
            if getattr(self, name) is not None and shown is None:
                raise ValueError(f"[{name}] needs the same in [ticket]: nobody could see whether it is done")
        kept = self.ticket.body is not None and self.ticket.body_format in ("plain", "markdown", "textile")
        if self.description is not None and not kept:
            raise ValueError("[description] needs [ticket] body in plain, markdown or textile: else it is not the text")
        if self.moves is not None and self.moves.ids and self.groups is None:
            raise ValueError("[moves] ids needs [groups]: which names the ids stand for")
        return self

    @property
    def past(self) -> Poll | None:
        """The list that the past is read from, None without one that tells its times and can be read to its end."""
        looking = self.history or self.poll
        if looking is None or looking.changed_at is None:
            return None
        cut = looking.page is not None and looking.page.by == "limit"
        return None if cut and not looking.ordered else looking

    @model_validator(mode="after")
    def _hears_of_tickets(self) -> Manifest:
        if self.receive is None and self.poll is None:
            raise ValueError("needs [receive] or [poll]: nothing would ever be heard of a ticket")
        if self.receive is not None and self.receive.optional and self.poll is None:
            raise ValueError("[receive] optional needs [poll]: without webhooks nothing would be heard of a ticket")
        return self
