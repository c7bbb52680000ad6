"""Accounts, sessions, attempts: who signs in, who is kept out, and for how long."""

from __future__ import annotations

import stat
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher, Type
from sqlmodel import select
from typer.testing import CliRunner

from agent.cli import app
from agent.core import Parts
from agent.pages.signing import attempts, audit, first, sessions, users
from agent.pages.signing.attempts import Attempt
from agent.pages.signing.passwords import Passwords
from agent.pages.signing.rights import Rights
from agent.store.people import PageSession
from agent.store.tables import utcnow
from tests.agent.pages.conftest import Person, signed_in, words_of
from tests.desk import Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio

SHIPPED = Passwords().hasher
"""As servers have it: while tests run, it is a cheap one."""

PASSWORD = "correct horse battery"
KEY = b"k" * 32


async def welcome(server: Running, person: Person, token: str, **fields: Any) -> Any:
    await person.see(f"/sign-in/{token}")
    return await person.post(f"/sign-in/{token}", password=PASSWORD, again=PASSWORD, **fields)


async def test_the_first_account_by_its_link_then_others_by_theirs(server: Running) -> None:
    database = server.parts.database
    link = first.link(database, "http://rolecall") or ""
    path = link.removeprefix("http://rolecall")
    person = Person(server)
    for _ in range(3):
        await person.see(path)  # a preview or scanner that fetches it uses it not up
    short = await person.post(path, name="Ops", password="short", again="short")
    assert "at least 10" in words_of(short.text)
    made = await person.post(path, name="Ops", password=PASSWORD, again=PASSWORD)
    assert (made.status_code, made.headers["location"]) == (303, "/")
    assert "Ops · operator" in words_of(await person.see("/account"))
    assert first.link(database, "http://rolecall") is None
    assert (await Person(server).client.get(path)).status_code == 404

    shown = await person.post("/users", do="add", name="Kim", rights="reviewer")
    token = shown.text.partition("/sign-in/")[2].partition("<")[0]
    kim = Person(server)
    assert (await welcome(server, kim, token)).headers["location"] == "/"
    assert "Kim · reviewer" in words_of(await kim.see("/account"))
    assert (await welcome_again(kim, token)).status_code == 404
    lines = [(line.who, line.action) for line in database.call(audit.latest, 50)]
    assert lines[::-1] == [
        ("Ops", "user_added"), ("Ops", "signed_in"), ("Ops", "user_added"), ("Kim", "password"), ("Kim", "signed_in"),
    ]  # fmt: skip


async def welcome_again(person: Person, token: str) -> Any:
    return await person.post(f"/sign-in/{token}", password=PASSWORD, again=PASSWORD)


async def test_sign_in_sign_out_and_what_the_cookie_may(server: Running) -> None:
    token = server.parts.database.call(users.add, "Kim", Rights.REVIEWER, "test", utcnow())
    kim = Person(server)
    await welcome(server, kim, token)
    await kim.post("/sign-out")
    assert (await kim.client.get("/account")).headers["location"] == "/sign-in?next=%2Faccount"

    await kim.see("/sign-in?next=/users%3Fx")
    wrong = await kim.post("/sign-in", name="kim", password="not it at all")
    assert (wrong.status_code, "Name or password is wrong" in words_of(wrong.text)) == (403, True)
    nobody = await kim.post("/sign-in", name="nobody", password=PASSWORD)
    assert words_of(nobody.text) == words_of(wrong.text)
    signed = await kim.post("/sign-in", name="  KIM ", password=PASSWORD, next="//evil.test")
    assert (signed.status_code, signed.headers["location"]) == (303, "/")
    cookies = signed.headers.get_list("set-cookie")
    assert all("HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie for cookie in cookies)
    stored = server.parts.database.call(lambda session: session.exec(select(PageSession)).all())
    assert kim.client.cookies["rolecall"] not in {row.token for row in stored}


async def test_cookies_are_secure_where_the_public_address_is_https(
    parts_for: Callable[..., Parts], desk: Desk
) -> None:
    async with running(parts_for(server={"public_url": "https://rolecall.test"}), desk) as server:
        answer = await server.client.get("/sign-in")
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-rolecall-visit=")
    assert "; Secure" in cookie


async def test_reset_and_disable_end_all_sessions_at_once(server: Running) -> None:
    database = server.parts.database
    kim, ops = signed_in(server, Rights.REVIEWER, "Kim"), signed_in(server, Rights.OPERATOR, "Ops")
    await kim.see("/account")
    await ops.post("/users", do="disable", name="Kim")
    assert (await kim.client.get("/account")).status_code == 303
    token = database.call(users.reset, "kim", "test", utcnow())
    again = Person(server)
    await welcome(server, again, token)
    await again.see("/account")
    await ops.post("/users", do="rights", name="Kim", rights="viewer")
    assert "Kim · viewer" in words_of(await again.see("/account"))
    for do in ("disable", "reset", "rights"):
        assert (await ops.post("/users", do=do, name="ops", rights="viewer")).status_code == 409


async def test_a_new_password_needs_the_old_one_and_signs_other_browsers_out(server: Running) -> None:
    token = server.parts.database.call(users.add, "Kim", Rights.VIEWER, "test", utcnow())
    here, there = Person(server), Person(server)
    await welcome(server, here, token)
    await there.see("/sign-in")
    await there.post("/sign-in", name="Kim", password=PASSWORD)
    new = {"password": "another good one", "again": "another good one"}
    assert (await here.post("/account", old="wrong one here", **new)).status_code == 422
    await there.see("/account")
    assert (await here.post("/account", old=PASSWORD, **new)).status_code == 200
    await here.see("/account")
    assert (await there.client.get("/account")).status_code == 303


def test_few_guesses_a_place_and_a_stranger_locks_nobody_out(parts: Parts) -> None:
    now, database = utcnow(), parts.database
    browser = sessions.known_browser(KEY, "kim")

    def attempt(address: str, browser: str | None = None, name: str = "Kim", at: datetime = now) -> datetime | None:
        return database.call(attempts.begin, Attempt.of(KEY, name, address, browser), at)

    assert [attempt("10.0.0.1") for _ in range(attempts.HERE)] == [None] * attempts.HERE
    assert attempt("10.0.0.1", name=" KIM") == now + attempts.WINDOW
    assert attempt("10.0.0.1", browser) is None, "the owner's browser is another place"
    made = sum(attempt(f"10.0.1.{n}") is None for n in range(100))
    assert made == attempts.SHARED - attempts.HERE
    assert attempt("10.0.2.1") is not None
    assert attempt("10.0.2.1", browser) is None, "a stranger who tries from everywhere keeps the owner's browser in"
    spray = sum(attempt("10.0.3.1", name=f"user {n}") is None for n in range(100))
    assert spray == attempts.ADDRESS
    assert attempt("10.0.0.1", at=now + attempts.WINDOW) is None
    assert not sessions.is_known_browser(KEY, "lee", browser)
    assert not sessions.is_known_browser(b"x" * 32, "kim", browser)


async def test_too_many_tries_say_when_and_the_owners_browser_still_signs_in(server: Running) -> None:
    token = server.parts.database.call(users.add, "Kim", Rights.VIEWER, "test", utcnow())
    kim, stranger = Person(server), Person(server)
    await welcome(server, kim, token)
    await kim.post("/sign-out")
    await stranger.see("/sign-in")
    answers = [(await stranger.post("/sign-in", name="Kim", password="x" * 2_000)).status_code for _ in range(6)]
    assert answers == [403] * 5 + [429]
    held = await stranger.post("/sign-in", name="Kim", password=PASSWORD)
    assert "Too many tries. Again at" in words_of(held.text)
    await kim.see("/sign-in")
    assert (await kim.post("/sign-in", name="Kim", password=PASSWORD)).status_code == 303


def test_sessions_and_links_expire(parts: Parts) -> None:
    now, database = utcnow(), parts.database
    link = database.call(users.add, "Kim", Rights.VIEWER, "test", now)
    token = database.call(sessions.begin, "kim", now)
    assert database.call(sessions.user_of, token, now) is not None
    assert database.call(sessions.user_of, token, now + sessions.GOOD_FOR) is None
    assert database.call(users.by_link, link, now) is not None
    assert database.call(users.by_link, link, now + users.LINK_GOOD_FOR) is None
    assert database.call(users.is_first, "x", now) is False


def test_the_link_for_the_first_account_expires_and_is_left_in_a_file_that_only_its_owner_reads(
    parts: Parts, tmp_path: Path
) -> None:
    now, database = utcnow(), parts.database
    token = database.call(users.offer_first, now) or ""
    assert database.call(users.is_first, token, now)
    assert not database.call(users.is_first, token, now + users.LINK_GOOD_FOR + timedelta(seconds=1))
    assert not database.call(users.is_first, "", now)
    file = tmp_path / "first-account.txt"
    first.leave(file, "http://x/sign-in/y")
    first.leave(file, "http://x/sign-in/z")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == "http://x/sign-in/z\n"
    first.leave(file, None)
    assert not file.exists()


def test_the_command_line_adds_lists_resets_and_disables(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text('server = { public_url = "https://rolecall.test" }\n')
    options = ["--config", str(tmp_path / "agent.toml"), "--data", str(tmp_path / "data")]

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["users", *arguments, *options])
        return done.output if done.exit_code == 0 else f"{done.exception}"

    CliRunner().invoke(app, ["db", "upgrade", *options])
    assert "no account yet" in run("list")
    assert "once: https://rolecall.test/sign-in/" in run("add", "Kim", "--rights", "viewer")
    assert "already" in run("add", "KIM")
    assert "a name has" in run("add", "\x1b[31m")
    assert "Kim: viewer, its link was not used yet" in run("list")
    run("rights", "kim", "--rights", "operator")
    run("disable", "kim")
    assert "Kim: operator, disabled" in run("list")
    assert "once: " in run("reset", "Kim")
    assert "no account lee" in run("disable", "lee")


def test_each_password_costs_whoever_guesses_it_64_mib_and_three_passes() -> None:
    assert (SHIPPED.type, SHIPPED.memory_cost, SHIPPED.time_cost) == (Type.ID, 65_536, 3)
    assert Passwords().hasher.memory_cost < SHIPPED.memory_cost, "the control: tests' own is another"


async def test_a_password_is_the_same_from_every_keyboard() -> None:
    """Some write an umlaut as two signs; Japanese ones write wide digits. What an earlier release kept stays good."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords, composed = Passwords(cheap), "Gr\u00fc\u00dfe aus K\u00f6ln 12"
    decomposed = unicodedata.normalize("NFD", composed)
    assert decomposed != composed
    for chosen in (composed, decomposed):
        kept = await passwords.hashed(chosen)
        typed = (composed, decomposed, composed.replace("12", "\uff11\uff12"))
        assert [await passwords.right(kept, each) for each in typed] == [True] * 3
        assert not await passwords.right(kept, composed.replace("\u00fc", "u"))
    before = cheap.hash(decomposed.encode())
    assert [await passwords.right(before, each) for each in (decomposed, composed)] == [True, False]
    assert not await passwords.right(None, composed)


async def test_what_was_typed_is_shown_again_where_the_session_has_ended(server: Running) -> None:
    """A page of another site can make a browser post, but not say that it was one of ours: its words are not shown."""
    gone, typed = (
        signed_in(server, Rights.OPERATOR, expired=True).client,
        {"body": "<b>Oil</b>\nleaks", "password": "s3"},
    )
    for headers, shown in (
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({}, False),
    ):
        answer = await gone.post("/rules", data={"form": "too old", **typed}, headers=headers)
        assert answer.status_code == 403
        assert ("&lt;b&gt;Oil&lt;/b&gt;\nleaks</textarea>" in answer.text) is shown
        assert "s3" not in answer.text
