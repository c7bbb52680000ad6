"""Check that roles have the names that tickets know, and the groups (queues, teams) of the connected systems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from agent.checks.finding import Finding, warn
from agent.checks.installation import Installation
from agent.domain import fold
from agent.store import tickets
from agent.store.groups import groups_seen, roles_of_closures


def groups(installation: Installation) -> Iterator[Finding]:
    """Yield former roles, groups that no role has, roles without a group, and groups that no ticket was ever in."""
    yield from former(installation)
    for source, chosen in installation.settings.connectors.items():
        seen = installation.database.call(groups_seen, source) if installation.database is not None else frozenset()
        yield from of_source(installation, source, {*chosen.groups, *seen}, seen)


def former(installation: Installation) -> Iterator[Finding]:
    """Yield the names that reviewed tickets have, and no role of today: what a role was called teaches as an alias."""
    if installation.database is None:
        return
    reviewed, names = installation.database.call(tickets.reviewed, installation.catalogue), installation.catalogue.names
    gone = Counter(role for example in reviewed for role in example.roles if role not in names)
    if gone:
        told = _listed([f"{role!r} ({count})" for role, count in gone.most_common()])
        yield warn(
            "roles",
            f"reviewed tickets have {told}, which no role is called: they teach nothing. A role that has a new name "
            "keeps the old one as an alias",
        )


def of_source(installation: Installation, source: str, there: set[str], seen: frozenset[str]) -> Iterator[Finding]:
    """Yield what is wrong with the groups of one system, where `there` are all known and `seen` those of tickets."""
    roles = installation.catalogue.roles
    named = {fold(group): (group, role) for role in roles for group in role.groups.get(source, ())}
    if there and not named:
        yield warn("roles", f"none has a group of {source}: a ticket that is closed there teaches nothing")
        return
    if idle := sorted(group for group in there if fold(group) not in named):
        yield warn("roles", f"no role has {_listed(idle)} of {source}: a ticket that is closed there teaches nothing")
    if without := [role.name for role in roles if named and source not in role.groups]:
        yield warn("roles", f"{_listed(without)} without a group of {source}: never suggested there")
    closed = installation.database.call(roles_of_closures, source) if installation.database is not None else ()
    ended = {fold(group) for role in roles if role.name in closed for group in alone(role.groups.get(source, ()))}
    known = {fold(group) for group in seen}
    unseen = [
        f"{group!r} ({role.name})" for folded, (group, role) in sorted(named.items()) if folded not in known | ended
    ]
    if known and unseen:
        text = f"no ticket of {source} was ever in {_listed(unseen)}: are these groups' names right?"
        yield warn("roles", f"{text} Seen: {_listed(sorted(seen))}")


def alone(groups: Sequence[str]) -> Sequence[str]:
    """Return the one group of a role: a closed ticket that is labelled with the role ended there."""
    return groups if len(groups) == 1 else ()


SHOWN = 10


def _listed(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
