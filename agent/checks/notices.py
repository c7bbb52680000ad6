"""Check that somebody is told of trouble, and that what was told has arrived."""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.finding import Finding, fail, ok, warn
from agent.checks.installation import Installation
from agent.notices import outbox
from agent.notices.sending import understood


def notices(installation: Installation) -> Iterator[Finding]:
    """Yield which addresses are none, and which messages were not delivered."""
    urls = installation.settings.notify.urls
    if not urls:
        yield ok("notices", "nobody is told of trouble: [notify] urls is empty")
        return
    good = True
    for number, url in enumerate(urls, 1):
        if understood(url.get_secret_value()) is None:
            good = False
            yield fail(
                "notices", f"address {number} of [notify] urls is none of Apprise's, such as mailto://... or ntfy://..."
            )
    kept = installation.database.call(outbox.kept) if installation.database is not None else []
    for _, message in kept:
        if message.left and message.error:
            good = False
            again = "it is tried again" if message.due else "it was given up"
            yield warn("notices", f"not sent, {again}: {message.error}. Try `rolecall notices test`")
    if good:
        yield ok("notices", f"{len(urls)} address{'es' * (len(urls) > 1)}; {len(kept)} sent in the last 7 days")
