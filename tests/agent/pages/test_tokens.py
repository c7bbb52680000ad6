"""API tokens: shown once, kept as hashes, listed, and ended at once by whoever may."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from agent.cli import app
from agent.errors import BadInput
from agent.pages.signing import tokens, users
from agent.pages.signing.rights import Rights
from agent.store import retention
from agent.store.database import Database
from agent.store.people import ApiToken, Audit
from agent.store.tables import utcnow
from tests.agent.pages.conftest import signed_in, words_of
from tests.serving_app import Running

pytestmark = pytest.mark.anyio

NOW = utcnow()


async def test_a_token_is_shown_once_listed_and_ended_by_its_owner_alone(server: Running) -> None:
    kim, eve = signed_in(server, Rights.REVIEWER, "Kim"), signed_in(server, Rights.OPERATOR, "Eve")
    answer = await kim.post("/account", do="token", label="ticket robot", days="30")
    (token,) = re.findall(r"rolecall_[\w-]{43}", answer.text)
    database = server.parts.database
    assert token not in await kim.see("/account")
    assert "ticket robot good until" in words_of(await kim.see("/account"))
    owner = database.call(tokens.owner, token, utcnow())
    assert owner is not None
    assert (owner.name, owner.rights) == ("Kim", "reviewer")
    (row,) = database.call(tokens.listed)
    assert token not in str(row)
    await eve.post("/account", do="revoke", number=str(row.id))
    assert database.call(tokens.owner, token, utcnow()) is not None
    assert (await kim.post("/account", do="revoke", number=str(row.id))).status_code == 303
    assert database.call(tokens.owner, token, utcnow()) is None
    log = database.call(lambda session: [(one.who, one.action) for one in session.exec(select(Audit))])
    assert log == [("Kim", "token_made"), ("Kim", "token_revoked")]
    told = words_of(await eve.see("/log"))
    assert "Made an API token: user: Kim token: ticket robot days: 30" in told
    assert token[9:] not in told


FORMS = (
    ({"do": "token", "label": "", "days": "30"}, 422),
    ({"do": "token", "label": "x", "days": "0"}, 422),
    ({"do": "token", "label": "x", "days": "366"}, 422),
    ({"do": "token", "label": "x" * 99, "days": "3"}, 422),
    ({"do": "token", "label": "x", "days": "-3"}, 400),
    ({"do": "token", "label": "x", "days": "9" * 500}, 400),
    ({"do": "revoke", "number": "٣"}, 400),
    ({"do": "revoke", "number": "77"}, 303),
)


async def test_forms_that_make_no_token(server: Running) -> None:
    person = signed_in(server, Rights.VIEWER)
    for form, status in FORMS:
        assert (await person.post("/account", **form)).status_code == status, form
    assert server.parts.database.call(tokens.listed) == []


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database.open_file(tmp_path / "rolecall.sqlite3")
    made.call(users.add, "Kim", Rights.VIEWER, "tests", NOW)
    return made


def test_a_token_ends_with_its_days_and_with_the_account(database: Database) -> None:
    def usable(token: str, days: float = 0) -> bool:
        return database.call(tokens.owner, token, NOW + timedelta(days=days)) is not None

    token = database.call(tokens.make, "kim", "x", 2, "tests", NOW)
    assert usable(token, 1.9)
    assert not usable(token, 2)
    assert not usable(token + "x")
    assert not usable("")
    database.call(users.change_password, "kim", "hash", "", NOW)
    assert usable(token), "a new password ends browsers, not programs"
    database.call(users.disable, "kim", "tests", NOW)
    assert not usable(token)
    with pytest.raises(BadInput, match="disabled"):
        database.call(tokens.make, "kim", "x", 2, "tests", NOW)
    database.call(users.reset, "kim", "tests", NOW)
    assert not usable(token)
    token = database.call(tokens.make, "kim", "x", 2, "tests", NOW)
    database.call(users.reset, "kim", "tests", NOW)
    assert not usable(token)
    database.close()


def test_a_use_is_kept_by_the_hour_and_an_expired_token_for_a_month(database: Database) -> None:
    token = database.call(tokens.make, "kim", "x", 2, "tests", NOW)
    assert database.call(tokens.due, token, NOW)
    database.call(tokens.used, token, NOW)
    assert not database.call(tokens.due, token, NOW + timedelta(minutes=59))
    assert database.call(tokens.due, token, NOW + timedelta(minutes=61))
    assert not database.call(tokens.due, "other", NOW)
    for days, kept in ((31, 1), (33, 0)):
        database.call(retention.delete_expired, NOW + timedelta(days=days), timedelta(days=90))
        assert len(database.call(tokens.listed)) == kept
    database.close()


def test_nobody_has_tokens_without_end(database: Database) -> None:
    for _ in range(tokens.MOST_OF_ONE):
        database.call(tokens.make, "kim", "x", 2, "tests", NOW)
    with pytest.raises(BadInput, match="20 tokens already"):
        database.call(tokens.make, "kim", "x", 2, "tests", NOW)
    database.close()


def test_commands_make_list_and_end_tokens(database: Database, tmp_path: Path) -> None:
    database.close()
    settings = tmp_path / "agent.toml"
    settings.touch()

    def run(*command: str) -> tuple[int, str, str]:
        given = ["--config", str(settings), "--data", str(tmp_path)]
        result = CliRunner().invoke(app, ["users", *command, *given])
        return result.exit_code, result.stdout, result.stderr

    code, token, told = run("token", "KIM", "--expires", "7", "--label", "backup")
    assert (code, "for 7 days" in told) == (0, True)
    assert re.fullmatch(r"rolecall_[\w-]{43}\n", token)
    until = f"{utcnow() + timedelta(days=7):%Y-%m-%d}"
    assert run("tokens")[1] == f"1: kim, backup, good until {until}, never used\n"
    assert run("revoke", "1")[1] == "backup of kim is ended\n"
    assert "no token yet" in run("tokens")[1]
    assert run("revoke", "1")[0] != 0
    assert run("token", "nobody")[0] != 0
    assert run("token", "kim", "--expires", "400")[0] != 0
    opened = Database(tmp_path / "rolecall.sqlite3")
    assert opened.call(lambda session: session.exec(select(ApiToken)).all()) == []
    opened.close()
