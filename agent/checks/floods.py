"""Check that nobody gave so many labels in a day that they do not teach: a flood may be an attack, or a new machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from agent.checks.finding import Finding, warn
from agent.checks.installation import Installation
from agent.domain import Example
from agent.feedback import accounts
from agent.feedback.accounts import Flood
from agent.store import tickets
from agent.store.tables import utcnow


def floods(installation: Installation) -> Iterator[Finding]:
    """Yield the floods of the last days, each with one of its tickets."""
    if installation.database is None:
        return
    examples = installation.database.call(tickets.reviewed, installation.catalogue)
    found = accounts.floods([accounts.given(example) for example in examples])
    for flood in accounts.lately(found, utcnow().date()):
        if flood.rows:
            yield warn("learning", _in_words(flood, [examples[row] for row in flood.rows]))


def _in_words(flood: Flood, silent: Sequence[Example]) -> str:
    role, _ = Counter(role for example in silent for role in example.roles).most_common(1)[0]
    whose = f"account {flood.whose.account} closed" if flood.by == "account" else "one requester filed"
    return (
        f"{whose} {flood.labels} tickets on {flood.day}, most went to {role}; more than {flood.budget} a day are not "
        f"usual for them, so {len(silent)} of these teach nothing. One of them is {silent[0].ticket_key}. If all is in "
        "order, there is nothing to do: what they do every day is usual after three days, and `/role NAME` teaches"
    )
