"""Marks: by which we know our own comment again, which version of it is there, and whether a person changed it.

A mark is `rolecall-` and 20 hex digits that only this installation can make for this ticket; 16 more say which words
it was put under. Marks made before there were versions have the first part alone.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from connectors.events import Message, Ticket

_MARK = r"rolecall-[0-9a-f]{20}(?:-[0-9a-f]{16})?"
_SIGNED = re.compile(rf"{_MARK}\)?\s*(?:</\w+>\s*)*\Z")
_SIGNATURE = re.compile(rf"\s*(?:\[//\]: # \({_MARK}\)|{_MARK})")

UNVERSIONED = ""
"""The version of a mark that names none."""


def mark_of(key: bytes, ticket: str) -> str:
    """Return the mark of our comment on this ticket. It cannot be forged without the installation's key."""
    return f"rolecall-{hmac.new(key, ticket.encode(), hashlib.sha256).hexdigest()[:20]}"


def version_of(text: str) -> str:
    """Return what tells these words from any others."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def by_rolecall(text: str) -> bool:
    """Return whether a Rolecall wrote this, ours or another installation's: any Rolecall's mark at its end counts.

    Staff who write one silence themselves alone; only our own mark makes a comment ours.
    """
    return _SIGNED.search(text) is not None


def unsigned(text: str) -> str:
    """Return the text without any Rolecall's mark."""
    return _SIGNATURE.sub("", text).strip()


def version_there(text: str, mark: str) -> str | None:
    """Return the version that the last mark of ours in the text names; None where it holds no mark of ours."""
    found = re.findall(rf"{re.escape(mark)}(?:-([0-9a-f]{{16}}))?", text)
    return found[-1] if found else None


def find_ours(ticket: Ticket, author_id: str, mark: str, remote_id: str | None) -> Message | None:
    """Return our comment, the newest where there are several: it bears our mark, or the id that we know.

    Only what our own account wrote: anybody could paste the mark and silence us.
    """
    own = [message for message in ticket.messages if message.author_id == author_id and message.id is not None]
    found = [message for message in own if message.id == remote_id or mark in message.text]
    return found[-1] if found else None


def changed_by_person(text: str, mark: str, shown: str | None, version: str | None) -> bool:
    """Return whether a person changed our comment: it is not as the system gave back the version that it claims to be.

    `shown` is that form of our last `version`, None where it was never seen. A mark of another version tells nothing:
    a request of ours that was left without an answer may have brought it.
    """
    return shown is not None and version_there(text, mark) in (version, None) and _words(text) != _words(shown)


def _words(text: str) -> str:
    """Return the text without what systems add and drop by themselves: blanks, and joiners that nobody sees."""
    return "".join(text.replace("\u2060", "").split())
