"""What `rolecall serve` says once it listens: what it is connected to, where webhooks go, and where to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agent.config.settings import Settings
from connectors.registry import SECRET


def webhooks(settings: Settings, url: str) -> dict[str, str]:
    """Return the address for the webhooks of each connector that has them; `url` stands in for an unset public_url."""
    public = settings.server.public_url or url
    hooks = {name: chosen.hook(name) for name, chosen in settings.connectors.items()}
    return {name: f"{public}{hook}" for name, hook in hooks.items() if hook is not None}


def in_shadow(shadow: bool | Mapping[str, Sequence[str]]) -> str:
    """Return in which queues nothing is posted, beginning with a blank; "" where something is everywhere."""
    if isinstance(shadow, bool):
        return " at all" if shadow else ""
    return f" in {', '.join(f'{queue} of {name}' for name, queues in shadow.items() for queue in queues)}"


def greeting(settings: Settings, url: str) -> Iterator[str]:
    """Yield the lines for a person at the terminal."""
    yield f"Rolecall listens at {url}"
    hooks = webhooks(settings, url)
    for name, chosen in settings.connectors.items():
        secret = f" ({SECRET}: see `.env`)" if hooks.get(name, "").endswith(SECRET) else ""
        heard = (
            f"its webhooks go to {hooks[name]}{secret}" if name in hooks else "it is polled, and no webhooks are taken"
        )
        yield f"{name}: {chosen.kind} at {chosen.address}; {heard}"
    if not settings.connectors:
        yield "nothing is connected: add [connectors.NAME] to the settings; see `rolecall check`"
    elif settings.server.public_url is None:
        yield "that is the address on this machine: set [server] public_url to the one that others reach it by"
    if silent := in_shadow(settings.triage.shadow):
        yield f"comments: none are posted{silent} ([triage] shadow)"
    elif settings.ladder.start == "shadow":
        yield "roles begin in shadow ([ladder] start): `rolecall ladder` says which comment by now"
    yield f"look: `rolecall queue status`, {url}/readyz, {url}/metrics, {url}/docs"
