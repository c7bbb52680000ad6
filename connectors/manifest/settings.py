"""What an operator sets to connect a system that a manifest describes: a dataclass made for each manifest."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field, make_dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from connectors.http import base_url, in_clear
from connectors.manifest.model import Manifest
from connectors.manifest.parts import Receive
from connectors.manifest.values import pattern_of
from connectors.proofs import Hmac, StandardWebhooks, standard_webhooks
from connectors.signing import key_of

LEAST_SECRET = 16
"""Characters of a secret that proves where a delivery comes from."""

RESERVED = {"url", "author_id", "staff", "closed", "timeout_seconds", "ca_file", "allow_http"}
RESERVED |= {"webhook_secrets", "kind", "ticket", "comment", "text", "since", "group", "tag", "tags", "subject"}
RESERVED |= {"session", "item", "me", "page", "description", "now"}
"""Names that no secret or setting of a manifest may have."""


def _token(value: str) -> str:
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError("has to be one word of printable ASCII")
    return value


def _one_or_more(value: object) -> object:
    """Return a bare text as a list of one: as a variable, a single secret is written without brackets."""
    return [value] if isinstance(value, str) else value


def _existing_file(value: str) -> str:
    if not Path(value).is_file():
        raise ValueError("there is no such file")
    return value


def _secrets(receive: Receive) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    schemes = [proof for proof in receive.verify if isinstance(proof, Hmac)]
    schemes += [standard_webhooks(p.tolerance) for p in receive.verify if isinstance(p, StandardWebhooks)]

    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        if not values or any(len(value) < LEAST_SECRET or not re.fullmatch(r"[!-~]+", value) for value in values):
            raise ValueError(f"needs at least one secret, each of {LEAST_SECRET} or more printable ASCII characters")
        in_path = any(proof.by == "path" for proof in receive.verify)
        if in_path and not all(re.fullmatch(r"[A-Za-z0-9_.~-]+", value) for value in values):
            raise ValueError("stands in an address: only letters, digits, and any of - _ . ~")
        for value in values:
            for scheme in schemes[: len(receive.verify) == len(schemes)]:
                key_of(scheme, value)
        return values

    return check


def _matching(pattern: str) -> Callable[[str], str]:
    known = pattern_of(pattern)

    def check(value: str) -> str:
        if not known.fullmatch(value):
            raise ValueError(f"has to match {pattern}")
        return value

    return check


Ids = tuple[Annotated[str, Field(max_length=200)], ...]


def settings_type(manifest: Manifest) -> type[Any]:
    """Return the dataclass of one connector's settings; values are validated when it is built, secrets are not shown.

    Its fields are the address, secrets and settings that the manifest names, and what every such connector has:
    `author_id` (else learnt), `staff` (ids whose commands count), `closed` (statuses in place of the manifest's).
    """
    given: list[tuple[str, Any] | tuple[str, Any, Any]] = [("url", Annotated[str, AfterValidator(base_url)])]
    given += [(name, Annotated[str, AfterValidator(_token)], field(repr=False)) for name in manifest.secrets]
    if manifest.receive is not None:
        checked = AfterValidator(_secrets(manifest.receive))
        secrets = Annotated[tuple[str, ...], BeforeValidator(_one_or_more), checked]
        left_out = field(default=(), repr=False) if manifest.receive.optional else field(repr=False)
        given.append(("webhook_secrets", secrets, left_out))
    for name, setting in manifest.settings.items():
        checked = AfterValidator(_matching(setting.pattern))
        default = () if setting.default is None else (field(default=setting.default),)
        given.append((name, Annotated[str, checked], *default))
    given += [
        ("author_id", Annotated[str, Field(min_length=1, max_length=200)] | None, field(default=None)),
        ("staff", Annotated[Ids, Field(max_length=10_000)] | None, field(default=None)),
        ("closed", Annotated[Ids, Field(min_length=1)] | None, field(default=None)),
        ("timeout_seconds", Annotated[float, Field(gt=0, le=300)], field(default=20.0)),
        ("ca_file", Annotated[str, AfterValidator(_existing_file)] | None, field(default=None)),
        ("allow_http", bool, field(default=False)),
    ]
    made = make_dataclass("ManifestSettings", given, frozen=True, kw_only=True, namespace={"_in_clear": _in_clear})
    return dataclass(made, frozen=True, config=ConfigDict(extra="forbid", coerce_numbers_to_str=True))


@model_validator(mode="after")
def _in_clear(self: Any) -> Any:
    if in_clear(self.url) and not self.allow_http:
        raise ValueError("url: http:// would show the token to the network; use https://, or set allow_http = true")
    return self
