"""`rolecall roles`: what each role handles, who knows more about it, and how many tickets are known to be its."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for

if TYPE_CHECKING:
    from agent.domain import Role


def roles(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """List the roles of roles.toml: what each handles, who to ask, its groups, and how many known tickets it has."""
    from agent.cli import layout
    from agent.cli.db import open_database
    from agent.config.roles_file import load_roles
    from agent.domain import RoleCatalogue
    from agent.store import tickets

    settings = settings_for(config, data)
    catalogue: RoleCatalogue = load_roles(settings.roles)
    with open_database(config, data) as database:
        known = Counter(role for e in database.call(tickets.reviewed, catalogue) for role in e.roles)
    console = layout.console()
    for role in catalogue.roles:
        count = f"{known[role.name]} known ticket{'s' * (known[role.name] != 1)}"
        layout.entry(console, role.name, "; ".join([*_told(role), count]))


def _told(role: Role) -> Iterator[str]:
    if role.description:
        yield role.description.rstrip(".")
    if role.owner:
        yield f"{role.owner} knows more"
    if others := [alias for alias in role.aliases if alias != role.name]:
        yield f"also called {', '.join(others)}"
    for source, groups in role.groups.items():
        yield f"{', '.join(groups)} in {source}"
    if role.active_from:
        yield f"from {role.active_from}"
    if role.active_until:
        yield f"until {role.active_until}"
