"""Check whose commands count: that somebody's do, whose end soon, and whose did not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from agent.checks.finding import Finding, warn
from agent.checks.installation import Installation
from agent.feedback import accounts
from agent.store.tables import Account, utcnow
from connectors.base import Connector, StaffKnownBy


async def staff(installation: Installation, connector: Connector) -> AsyncIterator[Finding]:
    """Yield which accounts of a system the operator has to decide about."""
    if connector.capabilities.staff_known_by is not StaffKnownBy.ACCOUNTS:
        return
    setting, database = f"connectors.{connector.source}.staff", installation.database
    stored = database.call(accounts.stored, connector.source) if database is not None else ()
    for account in stored:
        if accounts.in_grace(account, connector.staff, utcnow()):
            yield warn(connector.source, _ends(account, setting))
        elif account.refused and not _known(account, connector):
            yield warn(connector.source, _refused(account, setting))
    if not connector.staff and not _anybody(stored, connector):
        told = f"nobody is known to be staff, so no command counts yet: set {setting}, or assign tickets to people"
        yield warn(connector.source, told)


def _known(account: Account, connector: Connector) -> bool:
    return account.assigned or account.account_id in (connector.staff or ())


def _anybody(stored: Sequence[Account], connector: Connector) -> bool:
    return any(_known(a, connector) or accounts.in_grace(a, connector.staff, utcnow()) for a in stored)


def _ends(account: Account, setting: str) -> str:
    until = f"{account.trusted_until:%Y-%m-%d}"
    return (
        f"account {account.account_id} counts as staff until {until}, because its commands did before the upgrade: "
        f"add it to {setting} to keep it; without it there, {setting} ends it at once"
    )


def _refused(account: Account, setting: str) -> str:
    commands = "1 command" if account.refused == 1 else f"{account.refused} commands"
    if account.account_id == accounts.NOBODY:
        return f"messages without an account: {commands} that did not count"
    return f"unknown account {account.account_id}: {commands}; add it to {setting} if it is one of yours"
