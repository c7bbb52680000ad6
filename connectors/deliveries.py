"""Compare the secret of a delivery, and decode its JSON strictly.

Several secrets are accepted, because during a rotation both the old and the new one are; `signing.py` checks
signatures. Parsers disagree on duplicate keys, NaN, depth and numbers beyond 64 bits; JSON accepted here means the same
everywhere.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote_to_bytes

from jiter import from_json
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from connectors.errors import InvalidSignature, MalformedPayload


def verify_shared_secret(given: str, secrets: Sequence[str]) -> None:
    """Raise InvalidSignature unless `given` is one of the secrets.

    Digests are compared instead of the values, so that the time taken reveals neither content nor length.
    """
    digest = _digest(given)
    matches = [hmac.compare_digest(digest, _digest(secret)) for secret in secrets]
    if not any(matches):
        raise InvalidSignature("the secret is missing or wrong")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


Model = TypeVar("Model", bound="Wire")


class Wire(BaseModel):
    """A JSON object as a system sends it: strict types, unknown fields ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)


def _without_nul(text: str) -> str:
    """Return the text without NUL, which no database keeps: one such ticket must not hide a page of others."""
    return text.replace("\0", "")


def _utc(value: datetime) -> datetime | None:
    """Return the time in UTC; a time without a zone is unknown, not a guess."""
    try:
        return value.astimezone(UTC) if value.tzinfo else None
    except OverflowError:
        raise ValueError("lies outside the calendar") from None


Text = Annotated[str, AfterValidator(_without_nul)]
Id = Annotated[int, Field(ge=1, lt=2**63)]
Time = Annotated[datetime, AfterValidator(_utc)]


_ESCAPES = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
"""Escapes in JSON; the group is half of a character, which is left where a text was cut in UTF-16."""

GZIP = b"\x1f\x8b"
FORM = b"payload="
"""GitHub and others send their JSON as this field of a form unless they are told not to."""


def read_json(body: bytes) -> Any:
    """Read any JSON document, halves of characters as U+FFFD. Raises MalformedPayload with the reason in one line."""
    return _read(body)[0]


def _read(body: bytes, *, again: bool = True) -> tuple[Any, bytes]:
    try:
        return from_json(body, allow_inf_nan=False, catch_duplicate_keys=True), body
    except ValueError as error:
        whole = _ESCAPES.sub(lambda escape: rb"\ufffd" if escape[1] else escape[0], _unwrapped(body)) if again else body
        if whole != body:
            return _read(whole, again=False)
        reason = "it is compressed (gzip)" if body.startswith(GZIP) else str(error).splitlines()[0]
        raise MalformedPayload(f"not JSON: {reason}") from None


def _unwrapped(body: bytes) -> bytes:
    """Return the JSON in a body that wraps it: without a byte order mark (RFC 8259, 8.1), out of a form's field."""
    body = body.removeprefix(BOM_UTF8)
    return unquote_to_bytes(body[len(FORM) :].partition(b"&")[0].replace(b"+", b" ")) if body.startswith(FORM) else body


def decode(model: type[Model], body: bytes) -> Model:
    """Read a JSON document into a wire model. Raises MalformedPayload with the reason in one line."""
    try:
        return model.model_validate_json(_read(body)[1])
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "document"
        raise MalformedPayload(f"{place}: {'is missing' if first['type'] == 'missing' else first['msg']}") from None


MOST_NAMES, LONGEST_NAME = 20, 120


def with_attachments(body: str, names: Iterable[str]) -> str:
    """Return the body of a ticket with the names of the files that were filed with it, on a last line.

    `agent.text.reading` finds them there.
    """
    line = attached(names)
    return f"{body}\n\n{line}".removeprefix("\n\n") if line else body


def without_attachments(body: str, names: Iterable[str]) -> str:
    """Return the body of a ticket as it was before `with_attachments`."""
    line = attached(names)
    return body.removesuffix(line).removesuffix("\n\n") if line and body.endswith(line) else body


def attached(names: Iterable[str]) -> str:
    """Return the line that names files, "" where there are none."""
    shown = [" ".join(name.split())[:LONGEST_NAME] for name in names if name.strip()][:MOST_NAMES]
    return f"[attached: {', '.join(shown)}]" if shown else ""
