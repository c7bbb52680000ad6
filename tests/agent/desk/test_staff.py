"""Only the commands of accounts that are known to be staff count; those of others are counted and told, and no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from agent.app import create_app
from agent.core import Parts
from agent.feedback import accounts
from agent.store.tables import Account, Review, utcnow
from connectors.base import StaffKnownBy, Stored
from connectors.events import Event, Visibility
from tests.desk import CAPABILITIES, Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio

BY_ACCOUNTS = replace(CAPABILITIES, staff_known_by=StaffKnownBy.ACCOUNTS)
STRANGER = "17"


def obeyed(parts: Parts) -> list[list[str]]:
    return [review.roles for review in parts.database.call(lambda s: s.exec(select(Review)).all())]


def ours(parts: Parts) -> list[str]:
    return [account.account_id for account in parts.database.call(accounts.stored, "desk") if account.ours]


def trusted(parts: Parts, account: str, days: int) -> None:
    until = utcnow() + timedelta(days=days)
    row = Account(source="desk", account_id=account, trusted_until=until)
    parts.database.call(lambda session: session.add(row))


async def after(server: Running, *events: Event) -> str:
    for event in events:
        await server.deliver(event)
        await server.idle()
    return "".join(comment.text for comment in server.desk.comments("1"))


@pytest.fixture
def listed() -> Desk:
    """A system that tells nobody's kind: staff are listed, and those whom tickets were assigned to."""
    return Desk(capabilities=BY_ACCOUNTS, people=())


@pytest.mark.parametrize("internal", [True, False], ids=["private", "public"])
@pytest.mark.parametrize("author", [STRANGER, None], ids=["unknown account", "no account"])
async def test_a_command_of_nobody_known_teaches_nothing_and_is_answered_to_staff_once(
    parts: Parts, desk: Desk, author: str | None, internal: bool
) -> None:
    async with running(parts, desk) as server:
        comment = await after(
            server, desk.create("VPN is down"), desk.reply("1", "/role Electrician", author, internal)
        )
        assert "A command did not count, because I do not know" in comment
        assert ("`17`" in comment) is (author == STRANGER)
        again = await after(server, desk.reply("1", "/role Plumbing", "18", internal), desk.edit("1", "VPN is down!"))
        assert "`18`" not in again
        metrics = (await server.client.get("/metrics")).text
    assert [comment.visibility for comment in desk.comments("1")] == [Visibility.STAFF_ONLY]
    assert obeyed(parts) == []
    assert 'rolecall_refused_commands_total{source="desk"} 2.0' in metrics
    refused = {account.account_id: account.refused for account in parts.database.call(accounts.stored, "desk")}
    assert refused == {author or accounts.NOBODY: 1, "18": 1}


async def test_a_stranger_who_only_mentions_a_command_is_left_in_peace(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        before = await after(server, desk.create("VPN is down"))
        assert await after(server, desk.reply("1", "your page says /role ok, what is it?", STRANGER, False)) == before
    assert parts.database.call(accounts.stored, "desk") == []


async def test_the_requester_is_no_staff_even_where_a_note_is_private(parts: Parts, desk: Desk) -> None:
    """A form without the field `public` makes a customer's note private."""
    async with running(parts, desk) as server:
        await after(server, desk.create("VPN is down"), desk.reply("1", "/role Electrician", "customer"))
    assert obeyed(parts) == []


async def test_listed_staff_count_and_nobody_else(parts: Parts, listed: Desk) -> None:
    listed.staff = frozenset({"3"})
    async with running(parts, listed) as server:
        await after(server, listed.create("VPN is down"), listed.reply("1", "/role Electrician", "3"))
        await after(server, listed.reply("1", "/role Plumbing", "4"), listed.reply("1", "/role Plumbing", None))
    assert obeyed(parts) == [["Electrician"]]


async def test_whoever_a_ticket_was_ever_assigned_to_counts_for_good(parts: Parts, listed: Desk) -> None:
    async with running(parts, listed) as server:
        created = listed.create("VPN is down")
        listed.tickets["1"] = replace(listed.tickets["1"], assignee="5")
        await after(server, created)
        listed.tickets["1"] = replace(listed.tickets["1"], assignee=None)
        await after(server, listed.reply("1", "/role Electrician", "5"))
    assert obeyed(parts) == [["Electrician"]]


async def test_an_upgraded_desk_goes_on_for_a_while(parts: Parts, listed: Desk) -> None:
    trusted(parts, "6", days=1)
    trusted(parts, "7", days=-1)
    async with running(parts, listed) as server:
        await after(server, listed.create("VPN is down"), listed.reply("1", "/role Electrician", "6"))
        await after(server, listed.reply("1", "/role Plumbing", "7"))
    assert obeyed(parts) == [["Electrician"]]


def test_accounts_that_count_for_a_while_are_named_in_the_log_at_the_start(parts: Parts, listed: Desk) -> None:
    trusted(parts, "6", days=1)
    trusted(parts, "7", days=-1)
    with capture_logs() as logged:
        create_app(parts, {"desk": listed}, ("false",))
    named = [(entry["account"], entry["keep_by"]) for entry in logged if entry["event"] == "account_counts_for_a_while"]
    assert named == [("6", "connectors.desk.staff")]


async def test_naming_the_staff_ends_the_grace_at_once(parts: Parts, listed: Desk) -> None:
    trusted(parts, "6", days=1)
    listed.staff = frozenset({"3"})
    async with running(parts, listed) as server:
        await after(server, listed.create("VPN is down"), listed.reply("1", "/role Electrician", "6"))
    assert obeyed(parts) == []


class Nameless(Desk):
    """A system whose settings do not say which account is ours; its answer to a comment does."""

    async def post_comment(self, ticket_id: str, text: str) -> Stored:
        before, self.author_id = self.author_id, "bot"
        try:
            stored = await super().post_comment(ticket_id, text)
        finally:
            self.author_id = before
        return replace(stored, author_id="bot")


async def test_who_we_are_is_learnt_from_the_answer_to_our_first_comment_and_kept(parts: Parts) -> None:
    desk = Nameless(author_id="")
    async with running(parts, desk) as server:
        await after(server, desk.create("VPN is down"))
        assert desk.author_id == "bot"
    assert ours(parts) == ["bot"]


async def test_who_we_are_is_known_again_after_a_restart(parts: Parts) -> None:
    parts.database.call(accounts.learn_ours, "desk", "bot")
    desk = Nameless(author_id="")
    async with running(parts, desk):
        assert desk.author_id == "bot"


async def test_a_copied_mark_does_not_make_its_author_us(parts: Parts) -> None:
    desk = Nameless(author_id="")
    async with running(parts, desk) as server:
        await after(server, desk.create("VPN is down"))
        (first,) = desk.comments("1")
        desk.reply("1", first.text, STRANGER)
        await after(server, desk.reply("1", "/role Electrician"))
    assert [message.text for message in desk.tickets["1"].messages if message.author_id == STRANGER] == [first.text]
    assert "Electrician" in desk.comments("1")[0].text
    assert ours(parts) == ["bot"]
