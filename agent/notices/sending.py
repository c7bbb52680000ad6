"""Send one message to one address of Apprise's, in a thread that nothing waits for: a stuck service holds up nobody.

An address holds secrets: none of its parts is ever in what is returned, and agent.logs leaves Apprise's own lines out.
"""

from __future__ import annotations

import asyncio
import re
import threading
from urllib.parse import unquote

SEND_SECONDS = 30.0
LONGEST_REASON = 200
SHORTEST_SECRET = 4  # characters; shorter parts of an address are words such as "to"


async def deliver(address: str, title: str, body: str, seconds: float = SEND_SECONDS) -> str | None:
    """Send a message; return None where the service took it, else why not, without any part of the address."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str | None] = loop.create_future()

    def settle(reason: str | None) -> None:
        if not answer.done():
            answer.set_result(reason)

    def work() -> None:
        try:
            reason = _deliver(address, title, body, seconds)
        except Exception as error:  # noqa: BLE001 - over a hundred services' code: whatever fails there, work goes on
            reason = type(error).__name__
        try:
            loop.call_soon_threadsafe(settle, reason)
        except RuntimeError:  # the server has stopped meanwhile
            return

    threading.Thread(target=work, daemon=True, name="notice").start()
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError:
        return f"no answer within {seconds:g} s"


def understood(address: str) -> str | None:
    """Return the name of the service that an address is of, None where it is no address."""
    from apprise import Apprise

    service = Apprise.instantiate(address, suppress_exceptions=True)
    return str(getattr(service, "service_name", None) or "a service") if service is not None else None


def _deliver(address: str, title: str, body: str, seconds: float) -> str | None:
    from apprise import Apprise, AppriseAsset
    from apprise.common import PersistentStoreMode

    asset = AppriseAsset(app_id="Rolecall", app_desc="Rolecall", app_url="", storage_mode=PersistentStoreMode.MEMORY)
    asset.http_redirects = False
    sender = Apprise(asset=asset)
    if not sender.add(address):
        return "not an address that Apprise understands"
    result = sender.notify(body=body, title=title, timeout=2 * seconds)  # whoever waits has been told before
    if result:
        return None
    reasons = "; ".join(dict.fromkeys(str(entry.message) for entry in result.logs()))
    return without_secrets(reasons, address) or "the service did not take it"


def without_secrets(text: str, address: str) -> str:
    """Return a text in which no part of the address stands, printable and short."""
    parts = {part for form in (address, unquote(address)) for part in re.split(r"[/:@?&=#,;\s]+", form)}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= SHORTEST_SECRET:
            text = text.replace(part, "***")
    return "".join(sign if sign.isprintable() else " " for sign in text)[:LONGEST_REASON]
