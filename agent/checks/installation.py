"""What checks look at: an installation as it lies there. Looking at it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent.config.roles_file import load_roles
from agent.config.rules_file import load_rules
from agent.config.settings import Settings
from agent.data_directory import DataDirectory
from agent.domain import RoleCatalogue
from agent.serving.active import ActiveModel
from agent.store import tickets
from agent.store.database import Database, newest_version
from agent.store.read_only import looked_at
from agent.triage.model import TicketModel, load
from heuristics import RuleSet


@dataclass(frozen=True, slots=True)
class Installation:
    """The files and the database of one installation.

    `schema` is the version of the database's schema, None where there is no database yet. `database` is None where its
    schema is not this release's: no query would fit it.
    """

    config: Path
    settings: Settings
    catalogue: RoleCatalogue
    rules: RuleSet
    directory: DataDirectory
    schema: str | None
    database: Database | None
    active: ActiveModel[TicketModel]


@contextmanager
def look(config: Path, settings: Settings) -> Iterator[Installation]:
    """Yield the installation of these settings, which were read from `config`. Raises RolecallError."""
    roles = load_roles(settings.roles)
    rules = load_rules(settings.rules, roles)
    directory = DataDirectory(settings.data)
    with looked_at(settings.database_url, directory.database) as there:
        schema = there.version() if there is not None else None
        database = there if schema == newest_version() else None
        yield Installation(
            config, settings, roles, rules, directory, schema, database, _active(settings, roles, database)
        )


def _active(settings: Settings, roles: RoleCatalogue, database: Database | None) -> ActiveModel[TicketModel]:
    directory = DataDirectory(settings.data)
    read = partial(
        load,
        encoders=directory.encoders,
        catalogue=roles,
        target=settings.triage.precision_target,
        silent_below=settings.triage.silent_below,
        reviews=lambda: database.call(tickets.reviewed, roles) if database is not None else (),
    )
    active = ActiveModel(directory.models, read)
    active.refresh()
    return active
