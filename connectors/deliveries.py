"""Verify where a delivery comes from, and decode its JSON strictly.

Signatures are compared in constant time; every anomaly raises InvalidSignature, whatever the bytes are. Each check
takes several secrets, because during a rotation both the old and the new one are accepted. Parsers disagree on
duplicate keys, NaN, depth, lone surrogates and numbers beyond 64 bits; JSON accepted here means the same everywhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from jiter import from_json
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from connectors.errors import InvalidSignature, MalformedPayload

STANDARD_PREFIX = "whsec_"
STANDARD_TOLERANCE = 300.0
"""Seconds that a timestamp may lie off, as in the reference libraries of Standard Webhooks."""

_LONGEST_TIMESTAMP = 12


def verify_shared_secret(given: str, secrets: Sequence[str]) -> None:
    """Raise InvalidSignature unless `given` is one of the secrets.

    Digests are compared instead of the values, so that the time taken reveals neither content nor length.
    """
    digest = _digest(given)
    matches = [hmac.compare_digest(digest, _digest(secret)) for secret in secrets]
    if not any(matches):
        raise InvalidSignature("the secret in the path is missing or wrong")


def verify_standard_webhook(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    *,
    now: float,
    tolerance: float = STANDARD_TOLERANCE,
) -> None:
    """Raise InvalidSignature unless the delivery is signed as Standard Webhooks says (symmetric scheme, `v1`).

    `headers` has lower-case names, `now` is Unix time and `tolerance` is in seconds.
    Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    try:
        message_id, timestamp, signatures = (
            headers[f"webhook-{name}"].encode("ascii") for name in ("id", "timestamp", "signature")
        )
    except KeyError as missing:
        raise InvalidSignature(f"the header {missing.args[0]} is missing") from None
    except UnicodeEncodeError:
        raise InvalidSignature("a signature header has characters outside ASCII") from None
    if not timestamp.isdigit() or len(timestamp) > _LONGEST_TIMESTAMP or abs(now - int(timestamp)) > tolerance:
        raise InvalidSignature("the timestamp is unreadable, too old or in the future")
    message = b".".join((message_id, timestamp, body))
    given = [item.removeprefix(b"v1,") for item in signatures.split() if item.startswith(b"v1,")]
    expected = [base64.b64encode(hmac.digest(standard_key(secret), message, "sha256")) for secret in secrets]
    matches = [hmac.compare_digest(left, right) for left in expected for right in given]
    if not any(matches):
        raise InvalidSignature("no signature matches")


def standard_key(secret: str) -> bytes:
    """Return the key bytes of a `whsec_` secret. Raises ValueError; call it in the start-up check."""
    try:
        return base64.b64decode(secret.removeprefix(STANDARD_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not a whsec_ secret: the part behind the prefix has to be base64") from None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


Model = TypeVar("Model", bound="Wire")


class Wire(BaseModel):
    """A JSON object as a system sends it: strict types, unknown fields ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("contains the character NUL")
    return text


def _utc(value: datetime) -> datetime | None:
    """Return the time in UTC; a time without a zone is unknown, not a guess."""
    try:
        return value.astimezone(UTC) if value.tzinfo else None
    except OverflowError:
        raise ValueError("lies outside the calendar") from None


Text = Annotated[str, AfterValidator(_without_nul)]
Id = Annotated[int, Field(ge=1, lt=2**63)]
Time = Annotated[datetime, AfterValidator(_utc)]


def decode(model: type[Model], body: bytes) -> Model:
    """Read a JSON document into a wire model. Raises MalformedPayload with the reason in one line."""
    try:
        from_json(body, allow_inf_nan=False, catch_duplicate_keys=True)
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "document"
        raise MalformedPayload(f"{place}: {first['msg']}") from None
    except ValueError as error:
        raise MalformedPayload(f"not JSON: {str(error).splitlines()[0]}") from None
