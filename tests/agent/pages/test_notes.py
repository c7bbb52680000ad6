"""Notes on closed tickets as people judge them on the ticket's page, and what the comment shows then."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import Session

from agent.core import Parts
from agent.notes import phrasing
from agent.notes.solution import HEADINGS
from agent.pages.signing import audit
from agent.pages.signing.rights import Rights
from agent.pages.written import differences
from agent.store import verdicts, writings
from agent.store.tables import utcnow
from agent.store.writings import Writing
from agent.writing.note import Part
from tests.agent.desk.test_concluded import HOW, close, opened, readable, talk
from tests.agent.pages.conftest import Person, signed_in, words_of
from tests.desk import CAPABILITIES, Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio

PAGE, NOTE = "/tickets/desk/1", "/notes/desk/1"
FIX = "I removed the old device."


@pytest.fixture
def drafting(parts_for: Callable[..., Parts]) -> Parts:
    return parts_for(writing={"closure": "draft"})


async def solved(server: Running, desk: Desk, subject: str = "VPN is down") -> Person:
    """Return a reviewer in front of the page of a ticket that was solved and closed."""
    await opened(server, desk, subject)
    talk(desk)
    await close(server, desk)
    return signed_in(server, Rights.REVIEWER, "Kim")


async def says(person: Person, do: str, **fields: str) -> int:
    """Answer the form that the page shows; return the status."""
    seen = re.findall(r'id="note".*?name="seen" value="([^"]*)"', await person.see(PAGE), re.DOTALL)[0]
    answer = await person.post(NOTE, do=do, seen=fields.pop("seen", seen), **fields)
    await person.server.idle()
    return answer.status_code


def stored(server: Running) -> Writing:
    (row,) = server.parts.database.call(writings.of_ticket, "desk:1")
    return row


@pytest.mark.parametrize("subject", ["VPN is down", "hello there"])
async def test_a_draft_is_shown_once_it_is_accepted_and_only_once(drafting: Parts, desk: Desk, subject: str) -> None:
    async with running(drafting, desk) as server:
        person = await solved(server, desk, subject)
        assert all(HOW not in comment.text for comment in desk.comments("1"))
        page = words_of(await person.see(PAGE))
        assert FIX in page
        assert "nobody reads it in the helpdesk" in page
        assert await says(person, "accepted") == 303
        (comment,) = desk.comments("1")
        assert FIX in readable(comment)
        assert await says(person, "accepted", seen="x") == 409
        await close(server, desk)
        assert "Accepted by Kim" in words_of(await person.see(PAGE))
        (line,) = server.parts.database.call(lambda s: audit.latest(s, 1))
    assert (line.who, line.action, line.ticket_key, line.detail) == ("Kim", "note", "desk:1", {"verdict": "accepted"})
    assert len(desk.comments("1")) == 1


async def test_an_edited_note_is_shown_in_its_new_words_beside_what_was_changed(drafting: Parts, desk: Desk) -> None:
    async with running(drafting, desk) as server:
        person = await solved(server, desk)
        said = "Fix: I removed the old device\r\n\r\nand *enrolled* <b>the new</b> one\u202e.\x07"
        assert await says(person, "edited", text=said) == 303
        (comment,) = desk.comments("1")
        assert "as a colleague wrote it" in comment.text
        assert "<b>" not in comment.text.replace("\\<b", "")
        page = await person.see(PAGE)
        assert "<ins>" in page
        assert "<del>" in page
        assert stored(server).said == "Fix: I removed the old device\nand *enrolled* <b>the new</b> one ."
        assert server.parts.database.call(writings.fixes, ["desk:1"]) == {"desk:1": "I removed the old device"}
        assert await says(person, "useful") == 303
        assert (stored(server).verdict, stored(server).said is None) == ("useful", False)
        assert await says(person, "edited", text="Fix: I swapped it") == 303
        assert set(writings.quotable(stored(server))) >= {"I swapped it", "I removed the old device", FIX}
        for text, status in (("", 400), (" \n ", 400), ("x" * 4_001, 413)):
            assert await says(person, "edited", text=text) == status


async def test_a_draft_has_headings_in_the_language_of_the_desk_and_what_helped_is_known_behind_them(
    parts_for: Callable[..., Parts], desk: Desk
) -> None:
    async with running(parts_for(language="fr", writing={"closure": "draft"}), desk) as server:
        person = await solved(server, desk)
        (draft,) = re.findall(r"<textarea[^>]*>([^<]*)<", await person.see(PAGE))
        assert "Remède\xa0: " in draft
        assert "Fix:" not in draft
        assert await says(person, "edited", text=draft) == 303
        found = server.parts.database.call(writings.fixes, ["desk:1"])["desk:1"]
    assert found.startswith(FIX)
    said = {phrasing.shipped(language)[HEADINGS[Part.FIX]].casefold() for language in ("de", "fr", "es")}
    assert said | {"fix"} == writings.FIX_HEADINGS


async def test_a_discarded_draft_never_shows_and_no_other_ticket_quotes_it(drafting: Parts, desk: Desk) -> None:
    async with running(drafting, desk) as server:
        person = await solved(server, desk)
        assert server.parts.database.call(writings.fixes, ["desk:1"]) == {"desk:1": FIX}
        assert await says(person, "discarded") == 303
        await close(server, desk)
        assert HOW not in desk.comments("1")[0].text
        assert server.parts.database.call(writings.fixes, ["desk:1"]) == {}
        assert await says(person, "nonsense") == 400


async def test_a_shown_note_is_useful_or_goes_away_as_wrong(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        person = await solved(server, desk)
        edits = desk.edits
        assert await says(person, "useful") == 303
        assert (stored(server).verdict, desk.edits) == ("useful", edits)
        assert await says(person, "discarded") == 409
        assert await says(person, "wrong") == 303
        (comment,) = desk.comments("1")
        assert FIX not in readable(comment)
        assert "a colleague said that the note that stood here was wrong" in comment.text


async def test_where_a_comment_would_open_the_ticket_again_nothing_is_posted(parts: Parts, desk: Desk) -> None:
    desk.capabilities = replace(CAPABILITIES, comments_closed_without_reopening=False)
    async with running(parts, desk) as server:
        person = await solved(server, desk)
        writes = (desk.posts, desk.edits)
        assert "copy the text there yourself" in words_of(await person.see(PAGE))
        assert await says(person, "accepted") == 303
        assert (stored(server).verdict, desk.posts, desk.edits) == ("accepted", *writes)


@pytest.mark.parametrize("discarded", [False, True])
async def test_after_eight_hours_a_draft_shows_itself_unless_it_was_discarded(
    parts_for: Callable[..., Parts], desk: Desk, discarded: bool
) -> None:
    parts = parts_for(writing={"closure": "after 8h"})

    async def pass_hours(server: Running, hours: float) -> int:
        def turn_clock(session: Session) -> None:
            row = writings.closing(session, "desk:1")
            if row is not None and row.due_at is not None:
                row.due_at -= timedelta(hours=hours)

        parts.database.call(turn_clock)
        shown = parts.database.call(verdicts.show_due, ["desk"], utcnow())
        await server.deliver(desk.reply("1", "Good."))  # the engine wakes
        await server.idle()
        return shown

    async with running(parts, desk) as server:
        person = await solved(server, desk)
        await close(server, desk)
        assert "unless somebody discards it" in words_of(await person.see(PAGE))
        assert await pass_hours(server, 7.9) == 0
        assert HOW not in desk.comments("1")[0].text
        if discarded:
            await says(person, "discarded")
        assert await pass_hours(server, 0.2) == (not discarded)
        assert await pass_hours(server, 9) == 0
        (comment,) = desk.comments("1")
    assert (HOW in comment.text) is not discarded


async def test_a_ticket_that_was_opened_again_meanwhile_gets_no_note(drafting: Parts, desk: Desk) -> None:
    async with running(drafting, desk) as server:
        person = await solved(server, desk)
        await server.deliver(desk.reopen("1"))
        await server.idle()
        assert await says(person, "accepted") == 303
        assert HOW not in desk.comments("1")[0].text


async def test_a_ticket_without_a_note_has_none_to_judge(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await opened(server, desk)
        person = signed_in(server, Rights.REVIEWER, "Kim")
        assert (await person.post(NOTE, do="accepted")).status_code == 404


def test_differences_give_both_texts_back() -> None:
    pieces = list(differences("a b\nc d", "a x\nc d e"))
    assert "".join(p.text for p in pieces if p.kind != "new") == "a b\nc d"
    assert "".join(p.text for p in pieces if p.kind != "cut") == "a x\nc d e"
