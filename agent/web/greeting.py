"""What `rolecall serve` says once it listens: what it is connected to, where webhooks go, and where to look."""

from __future__ import annotations

from collections.abc import Iterator

from agent.config.settings import Settings
from connectors.registry import SECRET


def webhooks(settings: Settings, url: str) -> dict[str, str]:
    """Return the address for the webhooks of each connector that has them; `url` stands in for an unset public_url."""
    public = settings.server.public_url or url
    hooks = {name: chosen.hook(name) for name, chosen in settings.connectors.items()}
    return {name: f"{public}{hook}" for name, hook in hooks.items() if hook is not None}


def greeting(settings: Settings, url: str) -> Iterator[str]:
    """Yield the lines for a person at the terminal."""
    yield f"Rolecall listens at {url}"
    hooks = webhooks(settings, url)
    for name, chosen in settings.connectors.items():
        secret = f" ({SECRET}: see `.env`)" if hooks.get(name, "").endswith(SECRET) else ""
        heard = f"its webhooks go to {hooks[name]}{secret}" if name in hooks else "it is polled, and sends no webhooks"
        yield f"{name}: {chosen.kind} at {chosen.address}; {heard}"
    if not settings.connectors:
        yield "nothing is connected: add [connectors.NAME] to the settings; see `rolecall check`"
    elif settings.server.public_url is None:
        yield "that is the address on this machine: set [server] public_url to the one that others reach it by"
    if settings.triage.shadow:
        yield "comments: none are posted ([triage] shadow)"
    yield f"look: `rolecall queue status`, {url}/readyz, {url}/metrics, {url}/docs"
