"""What an expression yields, in our terms: ids and texts, times, plain text. Unknown is None, never a guess."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import re2  # type: ignore[import-untyped]  # google-re2 ships no stubs
from resiliparse.extract.html2text import extract_plain_text

Format = Literal["plain", "html", "html-or-plain", "markdown", "textile", "adf"]
"""Of html-or-plain, what holds a tag is HTML: for systems that keep both, and say in each message which one it is."""

ISO = "%Y-%m-%dT%H:%M:%SZ"
_LONGEST_TIME = 64
_TAG = re.compile(
    r"<(?:/|!--|p|div|br|span|[ou]l|li|table|html|body|blockquote|pre|h[1-6]|a|b|i|em|strong|code)\b", re.I
)
_BREAKS = frozenset({"paragraph", "heading", "blockquote", "codeBlock", "listItem", "tableRow", "rule", "panel"})
_DEEPEST_DOCUMENT = 100


def pattern_of(text: str) -> Any:
    """Compile a pattern that takes linear time. Raises ValueError."""
    try:
        return re2.compile(text)
    except re2.error:
        raise ValueError("is no pattern (RE2)") from None


def text_of(value: Any) -> str | None:
    """Return a text, number or truth value as text, without NUL, which no database keeps; None for all else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return value.replace("\0", "") if isinstance(value, str) else None


def name_of(value: Any) -> str | None:
    """Return whom or what a text or number names; None for nothing, as which false stands, too.

    False is what a condition yields that does not hold (`owner != 'nobody' && owner`), and what some systems answer for
    nothing.
    """
    return None if value is False else text_of(value)


def texts_of(value: Any, separator: str | None = None) -> tuple[str, ...] | None:
    """Return a list of texts, which may be one text with a separator between them; None where there is no list."""
    if separator is not None and isinstance(value, str):
        value = [part.strip() for part in value.split(separator)]
    if not isinstance(value, list):
        return None
    return tuple(text for text in map(text_of, value) if text)


def truth_of(value: Any) -> bool | None:
    """Return a truth value; None where it is neither true nor false."""
    return value if isinstance(value, bool) else None


def time_of(value: Any, form: str = "iso", *, utc: bool = False) -> datetime | None:
    """Return a time in UTC; None where it is unreadable, or has no zone and `utc` does not say that it is UTC.

    `form` is "iso", "unix", "unix-ms" or a pattern of strptime.
    """
    if form in ("unix", "unix-ms"):
        return _from_number(value, 1000 if form == "unix-ms" else 1)
    if not isinstance(value, str) or len(value) > _LONGEST_TIME:
        return None
    try:
        at = datetime.fromisoformat(value) if form == "iso" else datetime.strptime(value, form)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None and utc else at
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _from_number(value: Any, parts: int) -> datetime | None:
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
        return None if number is None else datetime.fromtimestamp(number / parts, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def written(at: datetime, form: str) -> str | int:
    """Return a time as a system wants it in a query: "unix", "unix-ms" or a pattern of strftime."""
    if form in ("unix", "unix-ms"):
        return int(at.timestamp() * (1000 if form == "unix-ms" else 1))
    return at.strftime(form)


def plain(value: Any, form: Format) -> str | None:
    """Return what somebody wrote as plain text; None where it is no text. Markdown and Textile stay as they are."""
    if form == "adf" and isinstance(value, dict):
        return "".join(_adf(value, 0)).strip().replace("\0", "")
    text = text_of(value)
    if text is None or form not in ("html", "html-or-plain") or (form == "html-or-plain" and not _TAG.search(text)):
        return text
    return str(extract_plain_text(text)).strip()


def _adf(node: Any, depth: int) -> Iterator[str]:
    """Yield the text of a node of Atlassian's format; a kind of node that is not known yields what is in it.

    Source: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
    """
    if not isinstance(node, dict) or depth > _DEEPEST_DOCUMENT:
        return
    kind, attributes = node.get("type"), node.get("attrs")
    said = _SAID.get(kind) if isinstance(kind, str) else None
    if said is not None:
        yield said(node, attributes if isinstance(attributes, dict) else {})
    content = node.get("content")
    for child in content if isinstance(content, list) else ():
        yield from _adf(child, depth + 1)
    if kind in _BREAKS:
        yield "\n"


_SAID: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], str]] = {
    "text": lambda node, _: text_of(node.get("text")) or "",
    "hardBreak": lambda _node, _: "\n",
    "mention": lambda _, attributes: text_of(attributes.get("text")) or "",
    "emoji": lambda _, attributes: text_of(attributes.get("text") or attributes.get("shortName")) or "",
    "inlineCard": lambda _, attributes: text_of(attributes.get("url")) or "",
}
