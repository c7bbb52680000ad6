"""Today, Ticket, Review, Status: what people see, and what becomes of what they answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from shutil import copytree
from typing import Any

import pytest
from sqlmodel import select

from agent.core import Parts
from agent.domain import Strength, Via
from agent.learning.due import needed
from agent.pages import status
from agent.pages.signing import audit
from agent.pages.signing.rights import Rights
from agent.serving.registry import Registry, new_version
from agent.store import comments, dead_letters, tickets
from agent.store.tables import Account, Inbox, Review, utcnow
from connectors.errors import Permanent
from connectors.events import Kind
from tests.agent.pages.conftest import Person, signed_in, words_of
from tests.desk import Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio


def comment(desk: Desk, number: str) -> str:
    return desk.comments(number)[-1].text


def reviews(server: Running, key: str) -> list[Review]:
    return list(server.parts.database.call(lambda s: s.exec(select(Review).where(Review.ticket_key == key)).all()))


async def seen(person: Person, path: str) -> str:
    found = re.search(r'name="seen" value="(\d+)"', await person.see(path))
    return found[1] if found else "0"


async def test_today_shows_what_was_said_or_why_not_and_answers_change_the_comment(server: Running, desk: Desk) -> None:
    person = signed_in(server, Rights.REVIEWER, "Kim")
    assert "No ticket has arrived yet" in words_of(await person.see("/"))
    await server.deliver(desk.create("VPN is down", "The VPN drops."), desk.create("Hello", "A question."))
    await server.idle()
    page = words_of(await person.see("/"))
    assert "VPN is down desk 1" in page
    assert "No model yet, and no rule matches." in page

    answer = await person.post("/tickets/desk/1", role="Electrician", back="/", seen="0")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    await server.idle()
    assert "Role: Electrician" in comment(desk, "1")
    assert "said by staff" in comment(desk, "1")
    (review,) = reviews(server, "desk:1")
    assert (review.strength, review.via, review.actor) == (Strength.CORRECTED, Via.PAGE, "Kim")
    page = words_of(await person.see("/?is=corrected"))
    assert "Corrected to Electrician Kim" in page
    assert "Hello" not in page

    await person.post("/tickets/desk/1", undo="1", seen=await seen(person, "/tickets/desk/1"))
    await server.idle()
    assert "Network?** (" in comment(desk, "1")
    assert "said by staff" not in comment(desk, "1")
    await person.post("/tickets/desk/1", right="1", seen="0")
    await server.idle()
    assert "confirmed by staff" in comment(desk, "1")
    await person.post("/tickets/desk/2", none="1", seen="0")
    await server.idle()
    assert "None of our roles" in comment(desk, "2")
    await person.post("/tickets/desk/2", undo="1", seen="0")
    await server.idle()
    assert "None of our roles" not in comment(desk, "2")
    lines = [(line.who, line.action, line.ticket_key) for line in server.parts.database.call(audit.latest, 9)]
    assert lines[::-1] == [
        ("Kim", "feedback", "desk:1"), ("Kim", "undo", "desk:1"), ("Kim", "feedback", "desk:1"),
        ("Kim", "feedback", "desk:2"), ("Kim", "undo", "desk:2"),
    ]  # fmt: skip


@pytest.mark.parametrize(("author", "shown"), [("31", "Account 31"), ("zoe", "zoe"), ("user-31", "Account user-31")])
async def test_an_account_without_a_name_is_called_one(server: Running, desk: Desk, author: str, shown: str) -> None:
    desk.people = (author,)
    await server.deliver(desk.create("VPN is down"), desk.reply("1", "/role Electrician", author))
    await server.idle()
    person = signed_in(server, Rights.REVIEWER, "Kim")
    assert f"Corrected to Electrician {shown} " in words_of(await person.see("/"))
    page = words_of(await person.see("/tickets/desk/1"))
    assert f"{shown} said in a message: Electrician" in page
    late = await person.post("/tickets/desk/1", role="Network", seen="0")
    assert f"{shown} chose Electrician" in words_of(late.text)


async def test_an_account_is_called_as_its_helpdesk_calls_it(server: Running, desk: Desk) -> None:
    desk.people, name = ("31",), "Zoë <b>Example"
    event = desk.reply(desk.create("VPN is down").ticket_id, "/role Electrician", "31")
    desk.rewrite("1", event.message.id, event.message.text, author_name=name)
    await server.deliver(desk.events[Kind.CREATED, "ticket-1"], event)
    await server.idle()
    page = await signed_in(server, Rights.VIEWER).see("/")
    assert f"Corrected to Electrician {name} " in words_of(page)
    assert "<b>Example" not in page


async def test_a_second_click_is_one_answer_and_somebody_faster_is_said(server: Running, desk: Desk) -> None:
    await server.deliver(desk.create("VPN is down"))
    await server.idle()
    kim, lee = (signed_in(server, Rights.REVIEWER, name) for name in ("Kim", "Lee"))
    ops = signed_in(server, Rights.OPERATOR, "Ops")
    for _ in range(2):
        assert (await kim.post("/tickets/desk/1", role="Electrician", seen="0")).status_code == 303
    assert len(reviews(server, "desk:1")) == 1
    late = await lee.post("/tickets/desk/1", role="Network", seen="0")
    assert (late.status_code, "Kim chose Electrician" in words_of(late.text)) == (409, True)
    assert (await lee.post("/tickets/desk/1", undo="1", seen="1")).status_code == 403
    assert (
        await lee.post("/tickets/desk/1", role="Network", seen=await seen(lee, "/tickets/desk/1"))
    ).status_code == 303
    assert "Two people named different roles" in words_of(await kim.see("/review"))
    assert (await ops.post("/tickets/desk/1", undo="1", seen=await seen(ops, "/tickets/desk/1"))).status_code == 303
    for fields in ({"role": "No such role"}, {}, {"roles": ["Network"]}, {"several": "1", "roles": ["Network", "x"]}):
        assert (await kim.post("/tickets/desk/1", seen="9", **fields)).status_code == 400, fields
    several = {"several": "1", "roles": ["Network", "Electrician"]}
    await kim.post("/tickets/desk/1", seen=await seen(kim, "/tickets/desk/1"), **several)
    assert reviews(server, "desk:1")[-1].roles == ["Network", "Electrician"]


async def test_a_ticket_shows_evidence_history_and_what_was_cut(server: Running, desk: Desk) -> None:
    body = "The VPN drops.\n\nOn Monday Zoe wrote:\n> it worked before\n\n-- \nZoe Example\nFloor 3"
    await server.deliver(desk.create("VPN is down", body))
    await server.idle()
    person = signed_in(server, Rights.VIEWER)
    page = words_of(await person.see("/tickets/desk/1"))
    for told in ("Network", "needs 90 %", "Cut: quotes and signature", "it worked before", "Comment, as it stands",
                 "Filed", "Suggested Network", "No similar ticket"):  # fmt: skip
        assert told in page, told
    as_it_stands = (
        (await person.see("/tickets/desk/1")).partition("Comment, as it stands")[2].partition("</blockquote>")[0]
    )
    assert "<strong>Role: perhaps Network?</strong>" in as_it_stands
    assert "<code>/role ok</code>" in as_it_stands
    assert not re.search(r"\*\*|`|\\", as_it_stands)
    assert "Which role is right?" not in page
    gone = await person.client.get("/tickets/desk/4799")
    assert (gone.status_code, "not read a ticket desk 4799" in words_of(gone.text)) == (404, True)


async def test_review_goes_from_ticket_to_ticket_with_skip_cannot_tell_and_undo(server: Running, desk: Desk) -> None:
    for number in range(1, 5):
        await server.deliver(desk.create(f"Question {number}", "Something is the matter."))
    await server.idle()
    person = signed_in(server, Rights.REVIEWER, "Kim")

    async def shown() -> str:
        found = re.search(r"Question (\d)", words_of(await person.see("/review")))
        return found[1] if found else ""

    page = words_of(await person.see("/review"))
    assert "4 tickets wait" in page
    assert "No role was clear" in page
    first = await shown()
    await person.post("/review", ticket=f"desk:{first}", role="Network", seen="0")
    second = await shown()
    assert second != first
    await person.post("/review", ticket=f"desk:{second}", unclear="1", seen="0")
    third = await shown()
    assert third not in (first, second)
    skipped = await person.post("/review", ticket=f"desk:{third}", skip="1", seen="0")
    page = words_of(await person.see(skipped.headers["location"]))
    assert "1 ticket waits" in page
    assert "Your last feedback Network" in page
    await person.post("/review", ticket=f"desk:{first}", undo="1", seen="0")
    assert "3 tickets wait" in words_of(await person.see("/review"))
    assert (await person.post("/review", ticket="desk:99", role="Network")).status_code == 404


async def test_review_asks_first_where_closing_and_suggestion_differ(parts: Parts) -> None:
    desk = Desk(source="django-helpdesk")
    async with running(parts, desk) as server:
        await server.deliver(desk.create("Hello"), desk.create("VPN is down", "The VPN drops."))
        await server.idle()
        await server.deliver(desk.close("2", group="HW"))
        await server.idle()
        person = signed_in(server, Rights.REVIEWER)
        page = words_of(await person.see("/review"))
        assert "It went to Workplace Hardware , Rolecall had suggested Network" in page
        await person.post("/review", ticket="django-helpdesk:2", unclear="1", seen="0")
        assert parts.database.call(tickets.review_that_counts, "django-helpdesk:2") is None
        page = words_of(await person.see("/review?order=disagrees"))
        assert "Nothing waits" in page
        assert len(desk.comments("2")) == 1


async def test_status_pauses_resumes_retries_and_drops(
    server: Running, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = server.parts.database
    person = signed_in(server, Rights.OPERATOR, "Ops")
    desk.faults = [Permanent("no right to write"), Permanent("no right to write")]
    await server.deliver(desk.create("VPN is down"), desk.create("VPN is slow"))
    await server.idle()
    page = words_of(await person.see("/status"))
    assert "no right to write" in page
    assert "free" in page
    assert "Set aside after 1 tries: no right to write" in words_of(await person.see("/"))
    for account in ("4", "5"):
        unknown = Account(source="desk", account_id=account, refused=int(account))
        database.call(lambda session, unknown=unknown: session.add(unknown))
    assert "oldest" not in page
    with monkeypatch.context() as few:
        few.setattr(status, "SET_ASIDE_SHOWN", 1)
        few.setattr(status, "UNKNOWN_SHOWN", 1)
        page = words_of(await person.see("/status"))
    assert "The oldest 1 of 2." in page
    assert "5 commands did not count" in page
    assert "4 commands did not count" not in page
    assert "There are others: rolecall check names them all." in page
    assert "There are others" not in words_of(await person.see("/status"))
    first, second = database.call(dead_letters.dead)
    await person.post("/status", do="retry", event=str(first))
    await person.post("/status", do="drop", event=str(second))
    await server.idle()
    assert sum(len(desk.comments(number)) for number in ("1", "2")) == 1
    for event in (str(second), "x", "9" * 30):
        assert (await person.post("/status", do="drop", event=event)).status_code in (400, 409)

    assert (await person.post("/status", do="pause", reason="  ")).status_code == 422
    await person.post("/status", do="pause", reason="audit week")
    assert database.call(comments.paused) == "audit week (Ops)"
    assert "audit week" in words_of(await person.see("/status"))
    assert "audit week" in await person.see("/")
    await server.deliver(desk.create("VPN again"))
    await server.idle()
    assert desk.comments("3") == []
    await person.post("/status", do="resume")
    await server.idle()
    assert len(desk.comments("3")) == 1
    actions = [line.action for line in database.call(audit.latest, 9)]
    assert actions[::-1] == ["retried", "dropped", "paused", "resumed"]


async def test_feedback_on_a_closed_ticket_opens_nothing_and_posts_nothing_new(server: Running, desk: Desk) -> None:
    await server.deliver(desk.create("Hello"))
    await server.deliver(desk.close("1"))
    await server.idle()
    person = signed_in(server, Rights.REVIEWER)
    await person.post("/tickets/desk/1", role="Network", seen="0")
    await server.idle()
    assert desk.comments("1") == []
    assert [row.state for row in server.parts.database.call(lambda s: s.exec(select(Inbox)).all())] == ["done"] * 3


async def test_pages_in_german_and_with_many_roles(parts_for: Callable[..., Parts], tmp_path: Any, desk: Desk) -> None:
    names = [f"Team {number:02}" for number in range(74)]
    (tmp_path / "many.toml").write_text("".join(f'[[role]]\nname = "{name}"\n' for name in names))
    (tmp_path / "none.toml").write_text("")
    parts = parts_for(roles=tmp_path / "many.toml", rules=tmp_path / "none.toml", language="de")
    async with running(parts, desk) as server:
        await server.deliver(desk.create("Frage", "Etwas ist los."))
        await server.idle()
        person = signed_in(server, Rights.REVIEWER, "Kim")
        page = words_of(await person.see("/review"))
        assert all(name in page for name in names)
        assert "Welche Rolle ist richtig?" in page
        assert "Noch kein Modell" in words_of(await person.see("/"))
        assert " %" not in page, "equal chances are no evidence"
        ticket = await person.see("/tickets/desk/1")
        shown = words_of(re.sub(r"<details.*?</details>", "", ticket, flags=re.DOTALL))
        assert [name for name in names if name in shown] == names[:9]
        assert "Die übrigen Rollen (65)" in words_of(ticket)
        assert all(f'value="{name}"' in ticket for name in names), "without script each can be chosen"
        assert "Keine Regel, kein ähnliches Ticket und kein Modell" in shown
        await person.post("/review", ticket="desk:1", role="Team 73", seen="0")
        await server.idle()
        assert "Team 73" in comment(desk, "1")


@pytest.mark.xdist_group("trained")
async def test_models_are_promoted_and_rolled_back_with_a_reason(trained: Parts, desk: Desk) -> None:
    registry = Registry(trained.directory.models, trained.directory.encoders)
    version = registry.versions()[0].version
    other = new_version(utcnow())
    copytree(registry.folder(version), registry.folder(other))
    manifest = registry.folder(other) / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace(version, other), "utf-8")
    async with running(trained, desk) as server:
        person = signed_in(server, Rights.OPERATOR, "Ops")
        page = words_of(await person.see("/models"))
        assert f"Version {version} serves." in page
        assert "that it had not seen" in page
        role, more = next(iter(trained.database.call(needed).items()))
        assert f"{role} : {more} more" in page
        assert "Roll back" not in page
        for fields, status in (
            ({"do": "promote", "version": version, "why": " "}, 422),
            ({"do": "promote", "version": "../../etc", "why": "x"}, 409),
            ({"do": "roll_back", "why": "x"}, 409),
            ({"do": "else", "why": "x"}, 400),
            ({"do": "promote", "version": version, "why": "it serves already"}, 409),
            ({"do": "promote", "version": other, "why": "it is newer"}, 303),
        ):
            assert (await person.post("/models", **fields)).status_code == status, fields
        assert f"Version {other} serves." in words_of(await person.see("/models"))
        await person.post("/models", do="roll_back", why="it was worse")
        page = words_of(await person.see("/models"))
        assert f"Version {version} serves." in page
        assert "it was worse (Ops)" in page
        assert "+00:00" not in page, "times are read by people"
        lines = [(line.action, line.detail["version"]) for line in trained.database.call(audit.latest, 9)]
        assert lines == [("rolled_back", version), ("promoted", other)]
