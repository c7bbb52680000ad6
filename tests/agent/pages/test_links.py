"""Links in the comment: looking changes nothing, a click is one answer, and who is not signed in teaches nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import itsdangerous.timed
import pytest
from sqlmodel import select

from agent.core import Parts
from agent.domain import Strength, Via
from agent.notes.links import Links, NoGood, opened
from agent.pages.signing import audit
from agent.pages.signing.rights import Rights
from agent.pages.standing import ANONYMOUS
from agent.store import tickets
from agent.store.links import GOOD_FOR
from agent.store.people import FeedbackLink
from agent.store.tables import Review
from tests.agent.pages.conftest import Person, signed_in, words_of
from tests.desk import Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio

URL = "http://rolecall"
KEY = b"k" * 32


@pytest.fixture
def linked(parts_for: Callable[..., Parts]) -> Callable[..., Parts]:
    def make(**server: str) -> Parts:
        given = {"work": {"settle_seconds": 0.2}, "triage": {"silent_below": 0.2}}
        return parts_for(**given, server={"public_url": URL, **server})

    return make


@pytest.fixture
async def server(linked: Callable[..., Parts], desk: Desk) -> AsyncIterator[Running]:
    async with running(linked(), desk) as server:
        await server.deliver(desk.create("VPN is down", "The VPN drops."))
        await server.idle()
        yield server


def comment(desk: Desk) -> str:
    (found,) = desk.comments("1")
    return found.text


def addresses(desk: Desk) -> list[str]:
    return re.findall(r"\((http://rolecall/l/[^)]+)\)", comment(desk))


def stranger(server: Running) -> Person:
    return Person(server)


def reviews(server: Running) -> list[Review]:
    return list(server.parts.database.call(lambda s: s.exec(select(Review).order_by(Review.id)).all()))


async def say(person: Person, address: str, **fields: Any) -> Any:
    """Look at a link, then press its button, or post other fields."""
    page = (await person.client.get(address)).text
    roles = re.findall(r'name="roles" value="([^"]*)"', page)
    return await person.post(address.removeprefix(URL).rpartition("/")[0], **fields or {"several": "1", "roles": roles})


async def test_the_comment_has_a_link_for_each_likely_answer(server: Running, desk: Desk) -> None:
    yes, *others = addresses(desk)
    assert "Right? [Yes, Network]" in comment(desk) or "Which one? [" in comment(desk)
    assert others[-1].endswith("/other")
    assert "/role ok" not in comment(desk)
    assert len(yes) < 140


async def test_looking_changes_nothing_and_one_click_is_one_answer(server: Running, desk: Desk) -> None:
    before = comment(desk), desk.edits
    kim = signed_in(server, Rights.REVIEWER, "Kim")
    for number in range(40):
        address = addresses(desk)[number % len(addresses(desk))]
        answer = await (kim if number % 2 else stranger(server)).client.get(address)
        assert answer.status_code == 200
    await server.idle()
    assert (reviews(server), (comment(desk), desk.edits)) == ([], before)

    assert "You are about to say: Network is right." in words_of((await kim.client.get(addresses(desk)[0])).text)
    link = addresses(desk)[0]
    assert "Recorded: Network" in words_of((await say(kim, link)).text)
    (review,) = reviews(server)
    assert (review.actor, review.via, review.strength) == ("Kim", Via.LINK, Strength.CONFIRMED)
    await server.idle()
    assert "confirmed by staff" in comment(desk)
    again = await say(signed_in(server, Rights.REVIEWER, "Lee"), link, role="Electrician")
    assert (again.status_code, "Kim chose Network" in words_of(again.text)) == (409, True)
    assert len(reviews(server)) == 1


async def test_who_is_not_signed_in_is_shown_to_reviewers_and_teaches_nothing(server: Running, desk: Desk) -> None:
    memory, before = server.parts.classifier.memory, comment(desk)
    said = await say(stranger(server), addresses(desk)[0].rpartition("/")[0] + "/other", role="Electrician")
    assert "Kept for reviewers: Electrician" in words_of(said.text)
    await server.idle()
    (review,) = reviews(server)
    assert (review.via, review.withdrawn, review.actor) == (Via.LINK, ANONYMOUS, None)
    assert server.parts.database.call(tickets.review_that_counts, "desk:1") is None
    memory.refresh()
    assert server.parts.database.call(tickets.reviewed, server.parts.classifier.catalogue) == []
    assert comment(desk) == before
    second = await say(stranger(server), addresses(desk)[0])
    assert (second.status_code, len(reviews(server))) == (409, 1)

    kim = signed_in(server, Rights.REVIEWER, "Kim")
    assert "not signed in said by the link: Electrician" in words_of(await kim.see("/tickets/desk/1"))
    (line, *_) = server.parts.database.call(audit.latest, 9)
    assert (line.who, line.action) == ("by a link", "anonymous")
    await say(kim, addresses(desk)[0])
    assert reviews(server)[-1].actor == "Kim"


async def test_trusted_links_count_and_the_subject_stays_inside(linked: Callable[..., Parts], desk: Desk) -> None:
    async with running(linked(links="trusted"), desk) as server:
        await server.deliver(desk.create("VPN of Zoë", "The VPN drops."))
        await server.idle()
        link = addresses(desk)[0]
        page = (await stranger(server).client.get(link)).text
        assert "Zoë" not in page
        assert "desk 1" in words_of(page)
        assert "Zoë" in (await signed_in(server, Rights.VIEWER).client.get(link)).text
        assert "Recorded" in words_of((await say(stranger(server), link)).text)
        await server.idle()
        assert "confirmed by staff" in comment(desk)
        assert (await say(stranger(server), link, none="1")).status_code == 409


async def test_what_was_altered_is_too_old_or_changed_says_why(
    server: Running, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = addresses(desk)[0]
    kim = signed_in(server, Rights.REVIEWER, "Kim")
    for altered in (link.replace("/l/", "/l/x"), f"{URL}/l/x/0", f"{URL}/l/{'x' * 9_000}/0"):
        answer = await kim.client.get(altered)
        assert (answer.status_code, "altered on its way" in words_of(answer.text)) == (410, True)
        assert (await say(kim, altered, role="Network")).status_code == 410
    server.parts.database.call(lambda s: setattr(s.exec(select(FeedbackLink)).one(), "token", "another"))
    assert "Another suggestion was made since" in words_of((await kim.client.get(link)).text)
    assert (await kim.post(link.removeprefix(URL).rpartition("/")[0], role="Network")).status_code == 410
    now = itsdangerous.timed.time.time()
    monkeypatch.setattr(itsdangerous.timed.time, "time", lambda: now + GOOD_FOR.total_seconds() + 2)
    assert "good for 14 days" in words_of((await kim.client.get(link)).text)
    assert reviews(server) == []


async def test_the_comment_does_not_change_by_itself(server: Running, desk: Desk) -> None:
    before, edits = comment(desk), desk.edits
    await server.deliver(desk.edit("1", "VPN is down", "The VPN drops."))
    await server.deliver(desk.reply("1", "a word"))
    await server.idle()
    assert (comment(desk), desk.edits) == (before, edits)


def test_a_link_is_for_one_ticket_one_purpose_and_one_installation() -> None:
    token = Links(URL, KEY).token("desk:1")
    assert opened(KEY, token) == "desk:1"
    other = itsdangerous.URLSafeTimedSerializer(KEY, salt="another purpose").dumps("desk:1")
    for key, presented in ((b"x" * 32, token), (KEY, token + "x"), (KEY, other), (KEY, ""), (KEY, "\0")):
        with pytest.raises(NoGood):
            opened(key, presented)
    assert timedelta(days=14) == GOOD_FOR
