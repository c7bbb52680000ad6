"""Search finds what came in, at once, and takes answers like Today; no question breaks it."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from agent.core import Parts
from agent.pages.search import _shown, marked
from agent.pages.signing.rights import Rights
from agent.store import search
from agent.store.search import places, sought
from agent.store.tables import Ticket, utcnow
from tests.agent.pages.conftest import signed_in, words_of
from tests.agent.store.test_search import HOSTILE
from tests.desk import Desk
from tests.serving_app import Running

pytestmark = pytest.mark.anyio


async def test_what_came_in_is_found_answered_and_taken_back_there(server: Running, desk: Desk) -> None:
    await server.deliver(desk.create("VPN drops", "It drops every hour, says the Réseau team.", group="Service desk"))
    await server.deliver(desk.create("Flickering light", "The lamp in the hall flickers."))
    await server.idle()
    kim = signed_in(server, Rights.REVIEWER, "Kim")
    here = "/search?q=reseau+hour"
    page = await kim.see(here)
    assert "1 ticket" in words_of(page)
    assert "every <mark>hour</mark>, says the <mark>Réseau</mark> team" in page
    assert "Flickering" not in page
    answer = await kim.post("/tickets/desk/1", role="Network", seen="0", back=here)
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    assert "Kim" in words_of(await kim.see(here))
    for filters, found in (("role=Network", 1), ("role=Electrician", 0), ("is=corrected", 0), ("is=waiting", 0)):
        assert (await kim.see(f"{here}&{filters}")).count("<mark>hour</mark>") == found, filters
    viewer = signed_in(server, Rights.VIEWER)
    assert 'name="role"' not in (await viewer.see(here)).partition("<tbody")[2]


async def test_nothing_found_says_which_words_are_there(server: Running, desk: Desk) -> None:
    await server.deliver(desk.create("VPN drops", "again"))
    await server.idle()
    viewer = signed_in(server, Rights.VIEWER)
    told = words_of(await viewer.see("/search?q=vpn+zebra"))
    assert "Nothing has all of these words. 1 ticket has vpn ." in told
    assert "zebra ." not in told
    assert "No ticket has that." in words_of(await viewer.see("/search?q=zebra"))
    assert "no letter and no digit" in words_of(await viewer.see("/search?q=%22%29"))
    assert "Words of tickets, or a number." in words_of(await viewer.see("/search"))


async def test_a_number_comes_before_tickets_that_name_it(server: Running) -> None:
    for number in range(3):
        ticket = Ticket(key=f"desk:{4711 + number}", subject="as 4711", body="", filed_at=utcnow() + timedelta(number))
        server.parts.database.call(search.add, ticket)
    page = await signed_in(server, Rights.VIEWER).see("/search?q=%234711")
    assert [page.index(f"/tickets/desk/{number}") for number in (4711, 4713, 4712)] == sorted(
        page.index(f"/tickets/desk/{number}") for number in (4711, 4713, 4712)
    )


@pytest.mark.parametrize(
    "question",
    [
        *("4711", "#4711", "desk 4711", "desk:4711", "Desk 4711", "[#4711]", "[Ticket #4711]", "Ticket 4711", "№4711"),
        *("http://desk.example/4711", "http://desk.example/4711/?page=2#last", "https://x.example/tickets/desk/4711"),
    ],
)
async def test_a_ticket_is_found_as_people_and_mails_name_it(server: Running, question: str) -> None:
    for number in ("4711", "47"):
        server.parts.database.call(search.add, Ticket(key=f"desk:{number}", subject="x", body="", filed_at=utcnow()))
    page = await signed_in(server, Rights.VIEWER).see(f"/search?q={quote(question)}")
    assert ("/tickets/desk/4711" in page, 'href="/tickets/desk/47"' in page) == (True, False)


async def test_every_ticket_stands_on_one_of_the_pages(server: Running) -> None:
    for number in range(60):
        ticket = Ticket(key=f"desk:{number}", subject="same", body="", filed_at=utcnow() - timedelta(minutes=number))
        server.parts.database.call(search.add, ticket)
    viewer, path, seen = signed_in(server, Rights.VIEWER), "/search?q=same", []
    for _ in range(3):
        page = await viewer.see(path)
        seen += [int(part.partition('"')[0]) for part in page.split('href="/tickets/desk/')[1:]]
        path = "/search?q=same&amp;before=" + page.partition("/search?q=same&amp;before=")[2].partition('"')[0]
        path = path.replace("&amp;", "&")
    assert seen == list(range(60))
    for before in ("1", "-9999999999999999999"):
        assert "There are no older ones." in words_of(await viewer.see(f"/search?q=same&before={before}"))


async def test_no_question_is_an_error_and_none_is_markup(server: Running, desk: Desk) -> None:
    await server.deliver(desk.create("<script>alert(1)</script> & <b>", "<img src=x onerror=alert(2)> script" * 9))
    await server.idle()
    viewer = signed_in(server, Rights.VIEWER)
    for question in (*HOSTILE, "script alert", "<script>", "lt", "amp"):
        more = ("", "&is=x&role=x&before=-9", f"&before={9**20}")[len(question) % 3]
        answer = await viewer.client.get(f"/search?q={quote(question)}{more}")
        assert answer.status_code == 200, question
        assert "<script>alert" not in answer.text
        assert "<img src" not in answer.text
    assert (await viewer.client.get("/search?q=%00")).status_code == 400
    assert "&lt;<mark>script</mark>&gt;<mark>alert</mark>(1)" in await viewer.see("/search?q=script+alert")


async def test_a_random_check_is_not_found_by_what_was_suggested(parts_for, desk: Desk) -> None:  # type: ignore[no-untyped-def]
    from tests.serving_app import running

    parts: Parts = parts_for(checks={"share": 1.0}, work={"settle_seconds": 0.2}, triage={"silent_below": 0.2})
    async with running(parts, desk) as server:
        await server.deliver(desk.create("The VPN drops", "wifi and vpn"))
        await server.idle()
        kim, viewer = signed_in(server, Rights.REVIEWER), signed_in(server, Rights.VIEWER)
        for path in ("/search?q=vpn&role=Network", "/search?q=vpn&is=clear", "/search?q=vpn&is=either_or"):
            assert "The <mark>" not in await kim.see(path)
        assert "The <mark>VPN</mark> drops" in await kim.see("/search?q=vpn")
        assert "The <mark>VPN</mark> drops" in await viewer.see("/search?q=vpn&role=Network")


MAIL = "<p>Hello,</p><p>the scanner in the lobby " + "hums and " * 30 + "stops.</p><p>Kind regards, Kim</p>"


@pytest.mark.parametrize(
    ("body", "question", "shown"),
    [
        (MAIL, "lobby", "Hello, the scanner in the <mark>lobby</mark> hums and hums"),
        (MAIL, "stops", "…hums and hums and hums and hums and <mark>stops</mark>. Kind regards, Kim"),
        ("From: kim@x.test\nSent: Monday\nTo: Help\nSubject: Scanner\n\nIt hums.", "scanners", "It hums."),
        ("x" * 200 + " lobby", "lobby", "…<mark>lobby</mark>"),
    ],
    ids=["near the beginning", "far below", "in the subject alone", "behind a long word"],
)
def test_what_is_shown_of_a_text_is_what_people_read_cut_between_words(body: str, question: str, shown: str) -> None:
    text = str(_shown(Ticket(key="d:1", subject="Scanners", body=body, filed_at=utcnow()), sought(question)).text)
    assert text.startswith(shown)
    assert re.fullmatch(r"…?[^\s…][^…]*[^\s…]…?", text)
    assert "hum…" not in text
    assert "<p>" not in text


def test_marks_are_ours_and_all_else_is_text() -> None:
    text = "<b>a</b> a&b"
    assert marked(text, places(text, sought("a"))) == ("&lt;b&gt;<mark>a</mark>&lt;/b&gt; <mark>a</mark>&amp;b")
