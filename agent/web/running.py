"""Ask a server, from a command beside it, whether it runs."""

from __future__ import annotations

import httpx

ANSWER_SECONDS = 3.0


def answers(url: str) -> bool:
    """Return whether a Rolecall answers at this address."""
    try:
        return httpx.get(f"{url}/healthz", timeout=ANSWER_SECONDS, trust_env=False).text == "ok\n"
    except httpx.HTTPError:
        return False


def local_url(host: str, port: int) -> str:
    """Return the address at which a server that listens on this host and port is reached on its own machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
