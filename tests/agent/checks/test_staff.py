"""`rolecall check` names the accounts about whose commands somebody has to decide."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from agent.feedback import accounts
from agent.store.database import Database
from agent.store.tables import Account, utcnow
from connectors.django_helpdesk import DjangoHelpdeskSettings
from tests.agent.checks.conftest import CheckThat

SECRETS = {"token": "t", "webhook_secrets": ["sixteen-letters-x"]}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    (tmp_path / "data").mkdir()
    return Database.open_file(tmp_path / "data" / "rolecall.sqlite3")


def lines(check: CheckThat, **settings: object) -> list[str]:
    given = DjangoHelpdeskSettings(url="http://127.0.0.1:9", **SECRETS, **settings)
    found = check(connectors={"django-helpdesk": {"kind": "django-helpdesk", "settings": given}})
    return [line for line in found if line.startswith("warn django-helpdesk: ") and ("staff" in line or "acc" in line)]


def test_a_desk_where_nobody_is_known_is_told_what_to_set(check: CheckThat) -> None:
    (line,) = lines(check)
    assert "no command counts yet: set connectors.django-helpdesk.staff" in line
    assert lines(check, staff=[3]) == []


def test_unknown_accounts_are_listed_with_what_they_tried(check: CheckThat, database: Database) -> None:
    for event, account in enumerate(("17", "17", "17", None, "18"), 1):
        database.call(accounts.refuse, "django-helpdesk", account, event)
    database.call(accounts.assign, "django-helpdesk", ["18"])
    database.close()
    assert lines(check) == [
        "warn django-helpdesk: messages without an account: 1 command that did not count",
        "warn django-helpdesk: unknown account 17: 3 commands; add it to connectors.django-helpdesk.staff if it is one "
        "of yours",
    ]
    assert [line for line in lines(check, staff=[17]) if "17" in line] == []


def test_accounts_that_count_for_a_while_are_named_until_the_staff_are(check: CheckThat, database: Database) -> None:
    until = utcnow() + timedelta(days=14)
    row = Account(source="django-helpdesk", account_id="6", trusted_until=until)
    database.call(lambda session: session.add(row))
    database.close()
    (line,) = lines(check)
    assert f"account 6 counts as staff until {until:%Y-%m-%d}" in line
    assert lines(check, staff=[3]) == []
