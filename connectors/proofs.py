"""How systems prove where a delivery comes from, as values: what differs between them, so that a new one needs no code.

`signing.py` checks these proofs.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

STANDARD_TOLERANCE = 300.0
"""Seconds that a timestamp may lie off, as in the reference libraries of Standard Webhooks."""

FIELD = re.compile(r"\{(\w*)\}")
_FIELDS = ("{id}", "{timestamp}", "{url}", "{body}")
_FORBID = ConfigDict(extra="forbid")


def _header(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", name):
        raise ValueError("has to be the name of a header")
    return name.lower()


def _message(template: str) -> str:
    fields = FIELD.findall(template)
    if unknown := sorted(f"{{{name}}}" for name in set(fields) if f"{{{name}}}" not in _FIELDS):
        raise ValueError(f"there is no {unknown[0]} that could be signed; there are {', '.join(_FIELDS)}")
    if fields.count("body") != 1:
        raise ValueError("has to hold {body} once: what is not signed, anybody could have written")
    return template


Header = Annotated[str, AfterValidator(_header)]


@dataclass(frozen=True, slots=True, kw_only=True, config=_FORBID)
class SecretInPath:
    """The secret is the first part of the path behind the connector's name: for systems that prove nothing else."""

    by: Literal["path"] = "path"


@dataclass(frozen=True, slots=True, kw_only=True, config=_FORBID)
class SecretInHeader:
    """The secret is the value of a header, behind `prefix`."""

    by: Literal["header"] = "header"
    header: Header
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, config=_FORBID)
class BasicAuth:
    """The secret is the password of HTTP Basic; `user`, where it is set, has to be the user."""

    by: Literal["basic"] = "basic"
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_FORBID)
class Hmac:
    """A keyed hash over the request.

    `header` holds one signature, or several items between `separator`; those that begin with `prefix` are signatures.
    `message` is what is signed. The timestamp stands in `timestamp_header`, or in the item of the signature's header
    that begins with `timestamp_prefix`; it may lie `tolerance` seconds off, and is not looked at without one: some
    systems repeat a failed delivery for hours with its first timestamp. `key` is how a secret becomes the key.
    """

    by: Literal["hmac"] = "hmac"
    header: Header
    prefix: str = ""
    separator: str = ""
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    key: Literal["text", "base64", "whsec", "sha256"] = "text"
    message: Annotated[str, AfterValidator(_message)] = "{body}"
    timestamp_header: Header | None = None
    timestamp_prefix: Annotated[str, Field(min_length=1)] | None = None
    timestamp: Literal["unix", "unix-ms", "iso"] = "unix"
    tolerance: Annotated[float, Field(gt=0)] | None = None
    id_header: Header | None = None

    @model_validator(mode="after")
    def _signs_what_it_names(self) -> Hmac:
        fields = set(FIELD.findall(self.message))
        if (self.timestamp_header is None) == (self.timestamp_prefix is None) and "timestamp" in fields:
            raise ValueError("{timestamp} needs either timestamp_header or timestamp_prefix")
        if self.timestamp_prefix is not None and not self.separator:
            raise ValueError("timestamp_prefix needs a separator between the items of the header")
        if self.tolerance is not None and "timestamp" not in fields:
            raise ValueError("tolerance needs {timestamp} in message: one that is not signed proves nothing")
        if ("id" in fields) != (self.id_header is not None):
            raise ValueError("{id} in message and id_header need each other")
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=_FORBID)
class StandardWebhooks:
    """Signed as Standard Webhooks says, by its symmetric scheme `v1`.

    Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """

    by: Literal["standard-webhooks"] = "standard-webhooks"
    tolerance: Annotated[float, Field(gt=0)] = STANDARD_TOLERANCE


@lru_cache
def standard_webhooks(tolerance: float = STANDARD_TOLERANCE) -> Hmac:
    """Return the scheme of Standard Webhooks; `tolerance` is in seconds."""
    return Hmac(
        header="webhook-signature",
        prefix="v1,",
        separator=" ",
        encoding="base64",
        key="whsec",
        message="{id}.{timestamp}.{body}",
        timestamp_header="webhook-timestamp",
        tolerance=tolerance,
        id_header="webhook-id",
    )


Proof = Annotated[SecretInPath | SecretInHeader | BasicAuth | Hmac | StandardWebhooks, Field(discriminator="by")]
"""One way to prove where a delivery comes from."""
