"""The collaborators that commands and the server share: all that decide on tickets, none that serve requests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import structlog

from agent.config.followed import Followed
from agent.config.roles_file import RolesError, load_roles, reserved_words
from agent.config.rules_file import load_rules
from agent.config.settings import Settings
from agent.config.writing import Closure
from agent.data_directory import DataDirectory
from agent.domain import RoleCatalogue
from agent.packages import require
from agent.store import coordination, writings
from agent.store.database import Database, open_database
from agent.store.tokens import DatabaseKeeper
from connectors.base import Connector
from heuristics.rules import RuleSet

if TYPE_CHECKING:  # a server loads what reads models only once it takes webhooks in (agent.door)
    from agent.serving.active import ActiveModel
    from agent.triage.model import TicketModel
    from agent.triage.opinion import RoleClassifier
    from agent.writing.note import Writer

OLDER = "older than reserved words"
"""Shared value of an installation that had tickets before some words were reserved: its roles may be called so."""

log = structlog.get_logger()


class Files:
    """The files that say which roles and rules there are, followed while a server runs."""

    def __init__(self, roles: Followed[RoleCatalogue], rules: Followed[RuleSet], classifier: RoleClassifier) -> None:
        self.roles, self.rules = roles, rules
        self._classifier = classifier
        self._reading = Lock()

    def refresh(self, whole: bool = False) -> None:
        """Take up what has changed; a file that is faulty leaves what was in force. Call it off the event loop.

        `whole`: as in `Followed.refresh`.
        """
        with self._reading:
            roles = self.roles.refresh(whole=whole)
            if roles is not None:
                _become(self._classifier.catalogue, roles)
                self._classifier.active.read_again()
            rules = self.rules.refresh(again=roles is not None, whole=whole)
            if rules is not None:
                self._classifier.rules = rules

    def problems(self) -> dict[str, str]:
        """Return why a file is not in force as it is now, by its name."""
        return {one.path.name: one.problem for one in (self.roles, self.rules) if one.problem}


def _become(catalogue: RoleCatalogue, other: RoleCatalogue) -> None:
    """Put what another catalogue holds into this one, all of it at once, for everybody who has it."""
    catalogue.__dict__ = dict(other.__dict__)


@dataclass(frozen=True, slots=True)
class Installation:
    """What is known of an installation before its model is loaded: all that the operator set, and it is valid."""

    settings: Settings
    directory: DataDirectory
    database: Database
    roles: RoleCatalogue
    rules: RuleSet
    followed: tuple[Followed[RoleCatalogue], Followed[RuleSet]]


@dataclass(frozen=True, slots=True)
class Parts:
    """The collaborators of one installation."""

    settings: Settings
    directory: DataDirectory
    database: Database
    active: ActiveModel[TicketModel]
    classifier: RoleClassifier
    files: Files

    def follow(self, whole: bool = False) -> None:
        """Load a newly activated model and new reviews, and take up roles and rules that have changed.

        `whole`: roles and rules were replaced at once, not written bit by bit.
        """
        self.files.refresh(whole)
        if self.active.refresh():
            log.info("model", version=self.active.current.version if self.active.current else None)
        self.classifier.memory.refresh()


def assemble(settings: Settings) -> Parts:
    """Load roles, rules, database and model. Raises RolecallError, saying what to fix."""
    return loaded(opened(settings))


def opened(settings: Settings) -> Installation:
    """Read roles and rules, and open the database. Raises RolecallError, saying what to fix."""

    def sound(path: Path) -> RoleCatalogue:
        read = load_roles(path)
        unreserved(path)
        return read

    def unreserved(path: Path) -> None:
        if (faults := reserved_words(path)) and database.call(coordination.value, OLDER) is None:
            raise RolesError(faults)

    followed_roles = Followed(settings.roles, sound)
    roles = load_roles(settings.roles)
    followed_rules = Followed(settings.rules, partial(load_rules, roles=roles))
    rules = load_rules(settings.rules, roles)
    directory = DataDirectory(settings.data)
    directory.create()
    database = open_database(settings.database_url, directory.database)
    try:
        unreserved(settings.roles)
    except RolesError:
        database.close()
        raise
    return Installation(settings, directory, database, roles, rules, (followed_roles, followed_rules))


def loaded(installation: Installation) -> Parts:
    """Load the model and the memory."""
    from agent.serving.active import ActiveModel
    from agent.store import tickets
    from agent.triage.memory_store import MemoryStore
    from agent.triage.model import load
    from agent.triage.opinion import RoleClassifier

    settings, directory, database = installation.settings, installation.directory, installation.database
    read = partial(
        load,
        encoders=directory.encoders,
        catalogue=installation.roles,
        target=settings.triage.precision_target,
        silent_below=settings.triage.silent_below,
        reviews=lambda: database.call(tickets.reviewed, installation.roles),
    )
    active = ActiveModel(directory.models, read)
    memory = MemoryStore(database, active, directory.encoders, installation.roles)
    classifier = RoleClassifier(installation.roles, installation.rules, active, memory, settings.triage)
    files = Files(*installation.followed, classifier)
    parts = Parts(settings, directory, database, active, classifier, files)
    parts.follow()
    return parts


def mark_key(directory: DataDirectory, database: Database) -> bytes:
    """Return the key of our comments' marks, and of pseudonyms: all servers on one database share it."""
    key = directory.key()
    return bytes.fromhex(database.call(coordination.agree, "key", key.hex())) if database.clustered else key


def connect(settings: Settings, database: Database | None = None, *, renew: bool = True) -> dict[str, Connector]:
    """Make every configured connector; tokens that the systems replace are kept in the database, and renewed if so."""
    connectors = {name: chosen.connect(name) for name, chosen in settings.connectors.items()}
    for connector in connectors.values():
        connector.tokens = DatabaseKeeper(database, renew=renew) if database is not None else None
    return connectors


def closure(settings: Settings, database: Database) -> Closure:
    """Return what is done about closed tickets: a desk that was there before goes on without notes until it sets it."""
    if "closure" in settings.writing.model_fields_set or database.call(coordination.value, writings.OLDER) is None:
        return settings.writing.closure
    return "off"


def writer(settings: Settings, database: Database) -> Writer:
    """Return who writes the notes on closed tickets. Raises NotPossibleYet where its package is missing."""
    chosen = settings.writing
    if not chosen.llm_url:
        from agent.writing.extractive import Extractive
        from agent.writing.weights import serving

        return Extractive(partial(serving, database))
    require("openai")
    from agent.writing.llm import connected

    key = chosen.llm_key.get_secret_value() if chosen.llm_key else ""
    return connected(chosen.llm_url, key, chosen.llm_model, chosen.llm_deadline_seconds, chosen.llm_tokens_a_day)
