"""After a trial our comments go: ours only, each once, whatever happens in between; people's words stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.core import Parts
from agent.errors import NotPossibleYet
from agent.notes.clearing import clear
from agent.notes.speak import Said, Speaker
from agent.store import removals
from agent.store.database import Database
from connectors.errors import Ambiguous, ConnectorError, Permanent, Transient
from tests.desk import CAPABILITIES, Desk, note

pytestmark = pytest.mark.anyio


class Clumsy(Desk):
    """A desk whose removals fail in the ways that are still to come; of an Ambiguous one nothing is heard."""

    failures: tuple[ConnectorError, ...] = ()

    async def remove_comment(self, ticket_id: str, comment_id: str) -> None:
        error, self.failures = (self.failures[0], self.failures[1:]) if self.failures else (None, ())
        if error is None or isinstance(error, Ambiguous):
            await super().remove_comment(ticket_id, comment_id)
        if error is not None:
            raise error


@pytest.fixture
def database(parts_for: Callable[..., Parts]) -> Database:
    return parts_for().database


def speaker(database: Database) -> Speaker:
    return Speaker(database, b"key", timedelta(0))


async def commented(database: Database, desk: Desk, count: int) -> list[str]:
    """File tickets, comment on each, and return their keys."""
    for number in range(1, count + 1):
        desk.create("VPN is down")
        desk.reply(str(number), "I look at it")
        await speaker(database).say(desk, desk.tickets[str(number)], note("Network"))
    return pending(database)


def pending(database: Database) -> list[str]:
    return database.call(removals.posted_since, ["desk"], None)


async def outcomes(database: Database, desk: Desk, keys: list[str]) -> dict[str, str]:
    return {key: str(outcome) async for key, outcome in clear(speaker(database), {"desk": desk}, keys)}


async def test_ours_go_and_what_people_wrote_stays(database: Database) -> None:
    desk = Desk()
    await commented(database, desk, 5)
    words = desk.comments("2")[0]
    desk.rewrite("2", words.id, f"Kim knows.\n\n{words.text}")
    desk.reply("3", desk.comments("3")[0].text, author="tech")  # somebody pasted our comment, mark and all
    desk.remove("4", desk.comments("4")[0].id)
    del desk.tickets["5"]
    assert await outcomes(database, desk, pending(database)) == {
        "desk:1": "removed",
        "desk:2": "words_left",
        "desk:3": "removed",
        "desk:4": "gone",
        "desk:5": "unseen",
    }
    assert [len(desk.comments(number)) for number in "1234"] == [0, 1, 0, 0]
    assert desk.comments("2")[0].text == "Kim knows.\n\nNetwork"
    assert [len(desk.tickets[number].messages) for number in "134"] == [1, 2, 1]
    assert pending(database) == ["desk:5"]
    assert await speaker(database).say(desk, desk.tickets["1"], note("Plumbing")) is Said.REMOVED
    assert desk.comments("1") == []


async def test_it_goes_on_where_it_was_interrupted_and_asks_for_nothing_twice(database: Database) -> None:
    desk = Clumsy()
    keys = await commented(database, desk, 4)
    async for _ in clear(speaker(database), {"desk": desk}, keys[:2]):
        pass
    assert pending(database) == keys[2:]
    desk.failures = (Ambiguous("no answer", 0.0), Transient("busy", 0.0))
    assert set((await outcomes(database, desk, pending(database))).values()) == {"gone", "removed"}
    assert desk.removals == 4
    assert pending(database) == []


async def test_what_cannot_be_removed_is_named_and_a_desk_that_refuses_all_is_left_alone(database: Database) -> None:
    desk = Clumsy()
    keys = await commented(database, desk, 8)
    desk.failures = (Permanent("the account lacks the right"),)
    assert (await outcomes(database, desk, keys[:2]))[keys[0]] == "the account lacks the right"
    assert pending(database) == [keys[0], *keys[2:]]
    desk.failures = (Permanent("the account lacks the right"),) * 9
    with pytest.raises(NotPossibleYet, match="5 in a row could not be removed"):
        await outcomes(database, desk, pending(database))


async def test_a_comment_that_went_with_its_ticket_into_another_is_found_there(database: Database) -> None:
    desk = Desk()
    await commented(database, desk, 2)
    desk.merge("1", into="2")
    assert set((await outcomes(database, desk, pending(database))).values()) == {"removed"}
    assert desk.comments("2") == []


@pytest.mark.parametrize(
    ("able", "outcome", "text"),
    [(True, "replaced", "Withdrawn."), (False, "kept", "Network")],
    ids=["edits", "neither"],
)
async def test_where_nothing_can_be_removed(database: Database, able: bool, outcome: str, text: str) -> None:
    desk = Desk(capabilities=replace(CAPABILITIES, removes_comments=False, edits_comments=able))
    keys = await commented(database, desk, 1)
    assert await outcomes(database, desk, keys) == {"desk:1": outcome}
    assert desk.comments("1")[0].text.startswith(text)
    assert pending(database) == ([] if able else keys)


async def test_since_a_day_and_of_one_connector(database: Database) -> None:
    desk = Desk()
    (key,) = await commented(database, desk, 1)
    row = database.call(lambda session: session.get(removals.Comment, key))
    assert database.call(removals.posted_since, ["desk"], row.posted_at) == [key]
    assert database.call(removals.posted_since, ["desk"], row.posted_at + timedelta(seconds=1)) == []
    assert database.call(removals.posted_since, ["des", "other"], None) == []
