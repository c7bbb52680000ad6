"""What `rolecall serve` says once it listens: what it is connected to, where webhooks go, and where to look."""

from __future__ import annotations

from collections.abc import Iterator

from agent.config.settings import Settings

SECRET = "SECRET"  # noqa: S105 - the word that stands for it
"""Shown in a webhook's address in the place of its secret."""


def webhooks(settings: Settings, url: str) -> dict[str, str]:
    """Return the address for the webhooks of each connector; `url` stands in for an unset public_url."""
    public = settings.server.public_url or url
    return {name: f"{public}/hooks/{name}/{SECRET}" for name in settings.connectors}


def greeting(settings: Settings, url: str) -> Iterator[str]:
    """Yield the lines for a person at the terminal."""
    yield f"Rolecall listens at {url}"
    for name, address in webhooks(settings, url).items():
        chosen = settings.connectors[name]
        yield f"{name}: {chosen.kind} at {chosen.address}; its webhooks go to {address} ({SECRET}: see `.env`)"
    if not settings.connectors:
        yield "nothing is connected: add [connectors.NAME] to the settings; see `rolecall check`"
    elif settings.server.public_url is None:
        yield "that is the address on this machine: set [server] public_url to the one that others reach it by"
    if settings.triage.shadow:
        yield "comments: none are posted ([triage] shadow)"
    yield f"look: `rolecall queue status`, {url}/readyz, {url}/metrics, {url}/docs"
