"""What is wrong with an installation, and what mends it: one kind of finding a file, listed here.

A new check is a file with one function that yields findings, and a line below.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

from agent.checks.address import address
from agent.checks.clock import clock
from agent.checks.connections import connections
from agent.checks.database import database
from agent.checks.disk import disk
from agent.checks.files import files
from agent.checks.finding import Finding
from agent.checks.finding import Level as Level
from agent.checks.floods import floods
from agent.checks.groups import groups
from agent.checks.installation import Installation
from agent.checks.installation import look as look
from agent.checks.model import model
from agent.checks.notices import notices
from agent.checks.own_account import own_account
from agent.checks.ownership import ownership
from agent.checks.placeholders import placeholders
from agent.checks.reach import reach
from agent.checks.reserved_words import reserved_words
from agent.checks.restored import restored
from agent.checks.rules import rules
from agent.checks.scope import scope, tags
from agent.checks.served_files import served_files
from agent.checks.solution_notes import solution_notes
from agent.checks.staff import staff
from agent.checks.temporary import temporary
from agent.checks.training import training
from agent.core import connect
from connectors.base import Connector

CHECKS: tuple[Callable[[Installation], Iterable[Finding]], ...] = (
    *(files, database, disk, temporary, clock, address, training, model),
    *(reserved_words, rules, solution_notes, connections, placeholders, groups, scope, floods, restored, notices),
    *(served_files, ownership),
)
"""What can be seen on this machine, in the order in which it is printed."""

CONNECTOR_CHECKS: tuple[Callable[[Installation, Connector], AsyncIterator[Finding]], ...] = (
    reach,
    staff,
    own_account,
    tags,
)
"""What each connected system is asked for. None of them raises ConnectorError."""


async def findings(installation: Installation) -> AsyncIterator[Finding]:
    """Yield what every check finds, on this machine first."""
    for check in CHECKS:
        for finding in check(installation):
            yield finding
    for connector in connect(installation.settings, installation.database, renew=False).values():
        try:
            for ask in CONNECTOR_CHECKS:
                async for finding in ask(installation, connector):
                    yield finding
        finally:
            await connector.aclose()
