"""Check where a delivery comes from, by the values in `proofs.py`: pure.

Everything is compared in constant time, over the bytes as they came, and every anomaly raises InvalidSignature. Several
secrets count while one is being rotated, and a header may hold several signatures: a delivery is authentic if any
secret gives any of them.

A timestamp only proves something if it is signed. A replay within the tolerance, or where a system signs no time, is
harmless for another reason: an event is known by its id, whatever request brings it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from connectors.deliveries import verify_shared_secret
from connectors.errors import InvalidSignature
from connectors.events import Delivery
from connectors.proofs import (
    FIELD,
    BasicAuth,
    Hmac,
    Proof,
    SecretInHeader,
    SecretInPath,
    StandardWebhooks,
    standard_webhooks,
)

STANDARD_PREFIX = "whsec_"

MOST_SIGNATURES = 20
"""Signatures in one header that are looked at."""

_LONGEST_TIMESTAMP = 40


def verify(proofs: Sequence[Proof], delivery: Delivery, secrets: Sequence[str], *, now: float) -> None:
    """Raise InvalidSignature unless one of the proofs holds with one of the secrets; `now` is Unix time.

    The reason is that of the last proof.
    """
    refused = InvalidSignature("there is no proof to check")
    for proof in proofs:
        try:
            return _verify(proof, delivery, secrets, now)
        except InvalidSignature as error:
            refused = error
    raise refused


def _verify(proof: Proof, delivery: Delivery, secrets: Sequence[str], now: float) -> None:
    match proof:
        case Hmac():
            verify_hmac(proof, delivery, secrets, now=now)
        case StandardWebhooks():
            verify_hmac(standard_webhooks(proof.tolerance), delivery, secrets, now=now)
        case SecretInPath():
            verify_shared_secret(delivery.segment.partition("/")[0], secrets)
        case SecretInHeader():
            given = _behind(proof.prefix, delivery.headers.get(proof.header, ""))
            verify_shared_secret(given or "", secrets if given is not None else ())
        case BasicAuth():
            user, password = _basic(delivery.headers.get("authorization", ""))
            verify_shared_secret(password, secrets if proof.user in (None, user) else ())


def verify_hmac(scheme: Hmac, delivery: Delivery, secrets: Sequence[str], *, now: float) -> None:
    """Raise InvalidSignature unless a secret gives one of the signatures in the scheme's header; `now` is Unix time."""
    value = _text(delivery.headers, scheme.header)
    items = [item.strip() for item in value.split(scheme.separator.encode())] if scheme.separator else [value.strip()]
    behind = [text for item in items if (text := _behind(scheme.prefix, item.decode("ascii"))) is not None]
    given = [_canonical(scheme, text) for text in behind[:MOST_SIGNATURES]]
    parts = {"body": delivery.body, "url": delivery.url.encode("utf-8", "surrogatepass")}
    if scheme.id_header is not None:
        parts["id"] = _text(delivery.headers, scheme.id_header)
    if "{timestamp}" in scheme.message:
        parts["timestamp"] = _timestamp(scheme, delivery.headers, items)
        _require_fresh(scheme, parts["timestamp"], now)
    message = b"".join(_pieces(scheme.message, parts))
    expected = [_written(scheme, hmac.digest(key_of(scheme, secret), message, scheme.algorithm)) for secret in secrets]
    matches = [hmac.compare_digest(left, right) for left in expected for right in given]
    if not any(matches):
        raise InvalidSignature("no signature matches")


def key_of(scheme: Hmac, secret: str) -> bytes:
    """Return the key bytes of a secret. Raises ValueError for one that cannot be a key; call it at start-up."""
    if scheme.key == "text":
        return secret.encode()
    if scheme.key == "sha256":
        return hashlib.sha256(secret.encode()).digest()
    try:
        return base64.b64decode(secret.removeprefix(STANDARD_PREFIX if scheme.key == "whsec" else ""), validate=True)
    except (binascii.Error, ValueError):
        what = "a whsec_ secret: the part behind the prefix" if scheme.key == "whsec" else "a key: the secret"
        raise ValueError(f"not {what} has to be base64") from None


def _pieces(template: str, parts: Mapping[str, bytes]) -> Iterator[bytes]:
    for index, piece in enumerate(FIELD.split(template)):
        yield parts[piece] if index % 2 else piece.encode()


def _written(scheme: Hmac, digest: bytes) -> bytes:
    return base64.b64encode(digest) if scheme.encoding == "base64" else digest.hex().encode()


def _behind(prefix: str, value: str) -> str | None:
    """Return what follows a prefix, None without it: the names of schemes have no case, and blanks may follow them."""
    found = value[: len(prefix)].lower() == prefix.lower()
    return (value[len(prefix) :].strip() if prefix else value) if found else None


def _canonical(scheme: Hmac, signature: str) -> bytes:
    return (signature.lower() if scheme.encoding == "hex" else signature).encode("ascii")


def _text(headers: Mapping[str, str], name: str) -> bytes:
    try:
        return headers[name].encode("ascii")
    except KeyError:
        raise InvalidSignature(f"the header {name} is missing") from None
    except UnicodeEncodeError:
        raise InvalidSignature("a signature header has characters outside ASCII") from None


def _timestamp(scheme: Hmac, headers: Mapping[str, str], items: Sequence[bytes]) -> bytes:
    if scheme.timestamp_header is not None:
        return _text(headers, scheme.timestamp_header)
    prefix = (scheme.timestamp_prefix or "").encode()
    found = [item.removeprefix(prefix) for item in items if item.startswith(prefix)]
    if len(found) != 1:
        raise InvalidSignature("the signature has no timestamp, or several")
    return found[0]


def _require_fresh(scheme: Hmac, timestamp: bytes, now: float) -> None:
    at = _seconds(scheme, timestamp.decode("ascii"))
    if at is None or (scheme.tolerance is not None and abs(now - at) > scheme.tolerance):
        raise InvalidSignature("the timestamp is unreadable, too old or in the future")


def _seconds(scheme: Hmac, text: str) -> float | None:
    """Return a timestamp as Unix time, None if it is not in the scheme's form."""
    if len(text) > _LONGEST_TIMESTAMP:
        return None
    if scheme.timestamp == "iso":
        try:
            at = datetime.fromisoformat(text)
            return at.timestamp() if at.tzinfo else None
        except (ValueError, OverflowError):
            return None
    return int(text) / (1000 if scheme.timestamp == "unix-ms" else 1) if text.isdigit() else None


def _basic(value: str) -> tuple[str, str]:
    """Return user and password of an Authorization header, empty where it holds none."""
    kind, _, encoded = value.partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode() if kind.lower() == "basic" else ""
    except ValueError:
        decoded = ""
    user, _, password = decoded.partition(":")
    return user, password
