"""A manifest together with what an operator set: all that is needed to read and write one system's own language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from connectors.base import PRIVATELY, Capabilities, Field, Markup, StaffKnownBy
from connectors.errors import MalformedPayload
from connectors.manifest import placeholders
from connectors.manifest.model import IDS, Manifest, Write
from connectors.manifest.values import pattern_of, text_of, written

_COMMENT_IDS = pattern_of(IDS)


@dataclass(frozen=True, slots=True)
class System:
    """One system. `values` are what placeholders stand for, secrets among them."""

    kind: str
    manifest: Manifest
    values: Mapping[str, Any]
    closed: frozenset[str]
    ids: Any

    @property
    def shown(self) -> Mapping[str, Any]:
        """What expressions may see of the settings: never a secret."""
        hidden = {*self.manifest.secrets, "webhook_secrets"}
        return {name: value for name, value in self.values.items() if name not in hidden}

    def id_of(self, value: Any, what: str) -> str:
        """Return an id as text. Raises MalformedPayload where it is none of this system."""
        text = None if isinstance(value, bool | float) else text_of(value)
        if text is None or not text.isascii() or not self.ids.fullmatch(text):
            raise MalformedPayload(f"{what}: not an id of {self.manifest.name}")
        return text

    def comment_id_of(self, value: Any) -> str:
        """Return a comment's id as text. Raises MalformedPayload where it cannot be one."""
        text = None if isinstance(value, bool | float) else text_of(value)
        if text is None or not text.isascii() or not _COMMENT_IDS.fullmatch(text):
            raise MalformedPayload(f"comment: not an id of {self.manifest.name}")
        return text

    def of_changes(self, since: datetime, form: str) -> dict[str, Any]:
        """Return what placeholders stand for in the request for what changed since a time, in the list's own form."""
        return {**self.values, "since": written(since, form), "now": written(datetime.now(UTC), form)}

    def ticket_url(self, ticket_id: str) -> str:
        """Return the page of a ticket."""
        page = self.manifest.ticket_page.replace("{url}", str(self.values["url"]), 1)
        return placeholders.path(page, {**self.values, "ticket": ticket_id})


def system(kind: str, manifest: Manifest, settings: Any) -> System:
    """Return the system that a manifest and the settings of its type describe."""
    values = {each.name: getattr(settings, each.name) for each in fields(settings)}
    closed = frozenset(settings.closed if settings.closed is not None else manifest.ticket.closed)
    return System(kind, manifest, values, closed, pattern_of(manifest.ids))


def bare(kind: str, manifest: Manifest, given: Mapping[str, str]) -> System:
    """Return a system that nobody has set up: it can read deliveries, and reach nothing."""
    defaults = {name: setting.default for name, setting in manifest.settings.items() if setting.default is not None}
    values = {"url": "https://system.example", **defaults, **given}
    return System(kind, manifest, values, frozenset(manifest.ticket.closed), pattern_of(manifest.ids))


def changes(manifest: Manifest) -> dict[Field, Write]:
    """Return the requests that change something of a ticket."""
    known = {
        Field.GROUP: manifest.assign,
        Field.TAG: manifest.tag,
        Field.SUBJECT: manifest.subject,
        Field.DESCRIPTION: manifest.description,
    }
    return {field: write for field, write in known.items() if write is not None}


def capabilities(manifest: Manifest) -> Capabilities:
    """Return what a kind of system supports, as far as its manifest uses it."""
    post = manifest.post
    return Capabilities(
        markup=post.format,
        edits_comments=manifest.edit is not None,
        removes_comments=manifest.remove is not None,
        changes=frozenset(changes(manifest)),
        described_in=Markup(manifest.ticket.body_format) if manifest.description is not None else None,
        staff_known_by=StaffKnownBy.ACCOUNTS if manifest.comment.author_kind is None else StaffKnownBy.MESSAGES,
        private_notes=post.private,
        privately=post.privately or PRIVATELY,
        comments_closed_without_reopening=post.keeps_closed,
        tags=manifest.ticket.tags is not None,
        tells_moves=manifest.moves is not None,
        polls=manifest.poll is not None,
        lists_history=manifest.past is not None,
    )
