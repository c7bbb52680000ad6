"""Rolecall changes a ticket once, whatever happens in between, and never against what a person did later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.core import Parts
from agent.desk.acting import Withheld, act, judge, tag_of
from agent.desk.desk import Desk as Handlers
from agent.desk.sightings import unannounced
from agent.domain import Role
from agent.metrics import Metrics
from agent.notes.speak import Speaker, Unsettled
from agent.store import actions, comments, tickets
from agent.store.actions import Acted, Action
from agent.store.tables import Review, Ticket, utcnow
from connectors.base import Field
from connectors.errors import Ambiguous, ConnectorError, Permanent, Transient
from connectors.events import Kind
from tests.desk import CAPABILITIES, Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio

WITH_HISTORY = replace(CAPABILITIES, tells_moves=True)
VALUES = {
    Field.GROUP: "net",
    Field.TAG: "role-network",
    Field.SUBJECT: "VPN down since Monday",
    Field.DESCRIPTION: "Since when: Monday\n\nVPN is down",
}


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.create("VPN is down", group="intake")
    return desk


@pytest.fixture
def process(parts_for: Callable[..., Parts], desk: Desk) -> Callable[..., Handlers]:
    """Return what makes the collaborators of a fresh process."""
    parts = parts_for()

    def fresh(settle: float = 0, *, shadow: bool = False) -> Handlers:
        speaker = Speaker(parts.database, b"key", timedelta(seconds=settle), shadow=shadow)
        return Handlers(parts.database, {"desk": desk}, parts.classifier, speaker, Metrics())

    return fresh


async def go(handlers: Handlers, desk: Desk, field: Field = Field.GROUP, value: str = "net", **given: bool) -> Acted:
    return await act(handlers, "desk", desk.tickets["1"], field, value, **given)


def held(desk: Desk, field: Field) -> object:
    ticket = desk.tickets["1"]
    words = {Field.SUBJECT: ticket.subject, Field.DESCRIPTION: ticket.body}
    return {Field.GROUP: ticket.group, Field.TAG: ticket.tags, **words}[field]


@pytest.mark.parametrize("field", Field)
async def test_each_change_is_made_once_however_often_it_is_asked_for(
    process: Callable[..., Handlers], desk: Desk, field: Field
) -> None:
    desk.change("1", tags=("vip",))
    for _ in range(3):
        assert await go(process(), desk, field, VALUES[field]) is Acted.DONE
    assert (held(desk, field), desk.acts) == (("vip", VALUES[field]) if field is Field.TAG else VALUES[field], 1)


@pytest.mark.parametrize("field", Field)
@pytest.mark.parametrize("carried_out", [True, False])
async def test_a_change_whose_answer_was_lost_is_looked_for_and_then_made_or_not(
    process: Callable[..., Handlers], desk: Desk, field: Field, carried_out: bool
) -> None:
    desk.faults, desk.deaf = [Ambiguous("time-out")], not carried_out
    with pytest.raises(Ambiguous):
        await go(process(), desk, field, VALUES[field])
    desk.deaf = False
    assert await go(process(), desk, field, VALUES[field]) is Acted.DONE
    assert desk.acts == (1 if carried_out else 2)
    assert VALUES[field] in (held(desk, field) or ())  # type: ignore[operator]


async def test_while_a_request_may_be_in_flight_nothing_else_is_sent(
    process: Callable[..., Handlers], desk: Desk
) -> None:
    desk.faults = [Ambiguous("time-out")]
    with pytest.raises(Ambiguous):
        await go(process(60), desk)
    with pytest.raises(Unsettled):
        await go(process(60), desk)
    with pytest.raises(Unsettled):
        await go(process(60), desk, value="ele")
    assert desk.acts == 1


@pytest.mark.parametrize("error", [Transient("503"), Permanent("403")])
async def test_a_refusal_for_good_is_not_repeated_and_another_one_is(
    process: Callable[..., Handlers], desk: Desk, error: ConnectorError
) -> None:
    desk.faults = [error]
    with pytest.raises(type(error)):
        await go(process(60), desk)
    permanent = isinstance(error, Permanent)
    assert await go(process(60), desk) is (Acted.REFUSED if permanent else Acted.DONE)
    assert (desk.acts, desk.tickets["1"].group) == ((0, "intake") if permanent else (1, "net"))
    assert await go(process(60), desk, asked=True) is Acted.DONE


@pytest.mark.parametrize("field", Field)
async def test_what_a_person_did_since_stands_until_somebody_asks(
    process: Callable[..., Handlers], desk: Desk, field: Field
) -> None:
    assert await go(process(), desk, field, VALUES[field]) is Acted.DONE
    desk.change("1", group="ele", subject="Kim's", body="Kim's", tags=())
    assert await go(process(), desk, field, VALUES[field]) is Acted.DONE  # it was, once
    if field is not Field.TAG:
        assert await go(process(), desk, field, "another") is Acted.OVERTAKEN
    assert (desk.acts, desk.tickets["1"].group, desk.tickets["1"].subject) == (1, "ele", "Kim's")
    assert await go(process(), desk, field, VALUES[field], asked=True) is Acted.DONE
    assert desk.acts == 2


async def test_a_change_of_mind_replaces_only_our_own(process: Callable[..., Handlers], desk: Desk) -> None:
    assert await go(process(), desk) is Acted.DONE
    assert await go(process(), desk, value="ele") is Acted.DONE
    assert (desk.tickets["1"].group, desk.acts) == ("ele", 2)


async def test_a_person_who_was_faster_while_our_answer_was_lost_is_not_overruled(
    process: Callable[..., Handlers], desk: Desk
) -> None:
    desk.faults = [Ambiguous("time-out")]
    with pytest.raises(Ambiguous):
        await go(process(), desk)
    desk.change("1", group="ele")
    assert await go(process(), desk) is Acted.OVERTAKEN
    assert await go(process(), desk) is Acted.OVERTAKEN
    assert (desk.tickets["1"].group, desk.acts) == ("ele", 1)


@pytest.mark.parametrize(
    ("history", "carried_out", "said", "outcome"),
    [
        (True, True, False, Acted.OVERTAKEN),  # the history shows our move, and a person's back
        (True, False, True, Acted.DONE),
        (False, True, True, Acted.UNSURE),  # both look the same: left alone
        (False, False, True, Acted.UNSURE),
        (False, False, False, Acted.DONE),
    ],
)
async def test_a_ticket_that_is_as_before_after_a_lost_answer(
    process: Callable[..., Handlers], desk: Desk, history: bool, carried_out: bool, said: bool, outcome: Acted
) -> None:
    desk.capabilities = WITH_HISTORY if history else CAPABILITIES
    desk.now = utcnow  # type: ignore[method-assign]
    desk.faults, desk.deaf = [Ambiguous("time-out")], not carried_out
    with pytest.raises(Ambiguous):
        await go(process(), desk)
    desk.deaf = False
    if carried_out:
        desk.carry_out("1", Field.GROUP, "intake", "kim")
    if said:
        desk.reply("1", "That is for intake", "kim")
    assert await go(process(), desk) is outcome
    assert desk.tickets["1"].group == ("net" if outcome is Acted.DONE else "intake")


async def test_an_intent_that_is_no_longer_wanted_is_given_up_before_the_next(
    process: Callable[..., Handlers], desk: Desk
) -> None:
    desk.faults, desk.deaf = [Ambiguous("time-out")], True
    with pytest.raises(Ambiguous):
        await go(process(), desk)
    desk.deaf = False
    assert await go(process(), desk, value="ele") is Acted.DONE
    assert (desk.tickets["1"].group, desk.acts) == ("ele", 2)


async def test_a_system_that_only_says_yes_is_found_out(process: Callable[..., Handlers], desk: Desk) -> None:
    desk.deaf = True
    assert await go(process(), desk) is Acted.IGNORED
    assert await go(process(), desk) is Acted.IGNORED
    assert desk.acts == 1


async def test_nothing_is_changed_in_shadow_in_a_pause_or_where_the_system_cannot(
    process: Callable[..., Handlers], desk: Desk
) -> None:
    handlers = process()
    with pytest.raises(Withheld, match="shadow"):
        await go(process(shadow=True), desk)
    await handlers.database.write(comments.pause, "a migration")
    with pytest.raises(Withheld, match="a migration"):
        await go(handlers, desk, asked=True)
    await handlers.database.write(comments.resume)
    desk.capabilities = replace(CAPABILITIES, changes=frozenset({Field.TAG}))
    with pytest.raises(Withheld, match="group"):
        await go(handlers, desk)
    assert (desk.acts, handlers.database.call(actions.newest, "desk:1", "group")) == (0, None)


async def test_what_we_changed_is_no_news_to_the_next_look_and_what_people_change_is(
    process: Callable[..., Handlers], desk: Desk
) -> None:
    handlers = process()
    row = Ticket(key="desk:1", subject="VPN is down", body="", filed_at=utcnow(), seen=None)
    await handlers.database.write(tickets.file, row)
    handlers.database.call(unannounced, "desk", [desk.tickets["1"]], "bot")
    for field in Field:
        await go(handlers, desk, field, VALUES[field])
    assert handlers.database.call(unannounced, "desk", [desk.tickets["1"]], "bot") == []
    desk.change("1", group="ele", subject="Kim's")
    told = handlers.database.call(unannounced, "desk", [desk.tickets["1"]], "bot")
    assert {event.kind for event in told} == {Kind.EDITED, Kind.MOVED}


async def test_moves_are_kept_with_their_times_and_our_own_are_no_lesson(
    parts_for: Callable[..., Parts], desk: Desk
) -> None:
    desk.tickets.clear()
    parts = parts_for(work={"settle_seconds": 0.2, "poll_seconds": 0.01}, triage={"silent_below": 0.2})
    desk.source = "django-helpdesk"  # the roles name its queues
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down", group="intake"))
        await server.look()
        speaker = Speaker(parts.database, b"key", timedelta(0))
        handlers = Handlers(parts.database, {"django-helpdesk": desk}, parts.classifier, speaker, Metrics())
        key = "django-helpdesk:1"
        assert await act(handlers, desk.source, desk.tickets["1"], Field.GROUP, "ELE") is Acted.DONE
        await server.look()
        assert parts.database.call(tickets.review_that_counts, key) is None  # another was suggested, ours is no lesson
        desk.change("1", group="PLU")
        await server.look()
        kept = parts.database.call(actions.of_ticket, key)
        assert [(m.before, m.after, m.ours, m.told) for m in kept] == [
            ("intake", "ELE", True, False),
            ("ELE", "PLU", False, False),
        ]
        review = parts.database.call(tickets.review_that_counts, key)
        assert isinstance(review, Review)
        desk.capabilities = WITH_HISTORY
        await server.deliver(desk.close("1", "PLU"))
        await server.idle()
        told = parts.database.call(actions.of_ticket, key)
        assert [(m.before, m.after, m.ours, m.told) for m in told] == [("intake", "ELE", True, True)]
        assert told[0].at == desk.moves["1"][0].at


def test_a_tag_is_one_word() -> None:
    assert tag_of(Role("Pumps & Drives  (Nord)")) == "role-pumps-drives-nord"
    assert tag_of(Role("Gebäude")) == "role-gebäude"


def test_the_case_of_a_group_is_none_and_that_of_a_subject_is() -> None:
    ticket = replace(Desk().create("vpn").ticket, group="NET")  # type: ignore[type-var]
    wanted = {"ticket_key": "desk:1", "at": utcnow(), "before": "x"}
    assert judge(Action(field="group", value="net", **wanted), ticket, "bot", None) is Acted.DONE
    assert judge(Action(field="subject", value="VPN", **wanted), ticket, "bot", None) is Acted.OVERTAKEN
