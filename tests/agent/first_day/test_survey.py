"""The history is walked once: what was told before is told again, under the names that people gave the groups."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest

from agent.first_day.survey import Remembering, Told, survey
from connectors.base import Connector
from tests.desk import START, Desk

pytestmark = pytest.mark.anyio


class Counting(Desk):
    asked = 0

    async def history(self, *given: object, **more: object):  # type: ignore[no-untyped-def]
        self.asked += 1
        return await super().history(*given, **more)  # type: ignore[arg-type]


def desk() -> Counting:
    made = Counting()
    for number in range(5):
        event = made.create(f"vpn {number}", "drops")
        made.reply(event.ticket_id, "on it", author="tech")
        made.reply(event.ticket_id, "thanks", author="zoe", internal=False)
        made.close(event.ticket_id, "queue 2" if number < 3 else "queue 5")
    return made


async def rest(_seconds: float) -> None:
    """Wait for nothing."""


async def test_groups_staff_and_texts_are_found_and_nothing_is_asked_for_twice() -> None:
    system, told = desk(), Told()
    connector = cast("Connector", Remembering(cast("Connector", system), told))
    found = await survey(connector, START, lambda *_: None, rest)
    assert (found.closed, dict(found.groups)) == (5, {"queue 2": 3, "queue 5": 2})
    assert list(found.staff) == ["tech"]
    assert [ticket.subject for ticket in found.tickets] == [f"vpn {n}" for n in range(5)]
    asked = system.asked
    names = {"queue 2": "net"}
    found.rename(names)
    told.rename(names)
    assert dict(found.groups) == {"net": 3, "queue 5": 2}
    past = await connector.history(START, None, messages=False)
    assert [event.ticket.group for event in past.closures if event.ticket] == ["net", "net"]
    assert system.asked == asked
    await connector.history(START + timedelta(days=1), None, messages=False)
    assert system.asked == asked + 1


async def test_the_poll_begins_where_it_was_before_the_history_was_read() -> None:
    system, told = desk(), Told()
    connector = cast("Connector", Remembering(cast("Connector", system), told))
    await survey(connector, START, lambda *_: None, rest)
    polls = system.polls
    later = cast("Connector", Remembering(cast("Connector", system), told))
    assert (await later.poll(None)).watermark == "0"
    assert system.polls == polls
