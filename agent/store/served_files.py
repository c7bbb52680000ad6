"""Which rules and roles each server on a shared database serves: each says so itself, every few seconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from agent.domain import RoleCatalogue
from agent.store.tables import SharedValue

SAID_EVERY = timedelta(seconds=10)
SILENT_AFTER = timedelta(minutes=1)
"""A server that has said nothing for so long has ended."""

_NAME = "serves "


@dataclass(frozen=True, slots=True)
class Served:
    """What one server serves: `rules` and `roles` change with what the files mean, not with a comment in them."""

    server: str
    rules: str
    roles: str


def version_of(catalogue: RoleCatalogue) -> str:
    """Return 16 hexadecimal digits that change when a role does."""
    return hashlib.sha256(repr(catalogue.roles).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def say(session: Session, served: Served, now: datetime) -> None:
    """Store what a server serves, and forget servers that have ended."""
    ended = col(SharedValue.name).startswith(_NAME), col(SharedValue.at) < now - SILENT_AFTER
    session.execute(delete(SharedValue).where(*ended))
    versions = json.dumps([served.rules, served.roles])
    session.merge(SharedValue(name=f"{_NAME}{served.server}", value=versions, at=now))


def said(session: Session, now: datetime) -> list[Served]:
    """Return what the servers that are there serve, in the order of their names."""
    lately = col(SharedValue.name).startswith(_NAME), SharedValue.at >= now - SILENT_AFTER
    rows = session.exec(select(SharedValue).where(*lately).order_by(SharedValue.name))
    return [Served(row.name.removeprefix(_NAME), *json.loads(row.value)) for row in rows]


def differing(found: Sequence[Served]) -> dict[str, dict[str, list[str]]]:
    """Return the files on which servers differ, each with its versions and the servers that serve these."""
    versions: dict[str, dict[str, list[str]]] = {"rules.toml": {}, "roles.toml": {}}
    for one in found:
        versions["rules.toml"].setdefault(one.rules, []).append(one.server)
        versions["roles.toml"].setdefault(one.roles, []).append(one.server)
    return {name: servers for name, servers in versions.items() if len(servers) > 1}


def in_words(versions: dict[str, list[str]]) -> str:
    """Return which server serves which version, as `4c3d… on web-1:7 and web-2:7, 9f8e… on web-3:7`."""
    return ", ".join(f"{version} on {' and '.join(servers)}" for version, servers in versions.items())
