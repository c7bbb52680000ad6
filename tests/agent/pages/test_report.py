"""The week in numbers as a page, as text and as Markdown: they say the same, and nothing that is not in the data."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup, escape
from typer.testing import CliRunner

from agent.cli import app
from agent.config.roles_file import load_roles
from agent.domain import Via
from agent.pages import charts
from agent.pages.document import Document, Part, Table, as_markdown, as_text
from agent.pages.signing import audit
from agent.pages.signing.rights import Rights
from agent.pages.texts import load
from agent.pages.week_document import Night, document
from agent.pages.words import Words
from agent.report.cases import Case
from agent.report.week import Week
from agent.store.database import Database
from tests.agent.pages.conftest import signed_in, words_of
from tests.conftest import TICKETS
from tests.desk import Desk
from tests.serving_app import Running

AT = datetime(2026, 11, 18, 12, tzinfo=UTC)
WEEK = Week(2026, 47)


def words(language: str = "en") -> Words:
    return Words(load(language), load_roles(TICKETS / "roles.toml"), lambda: AT)


def some(count: int, **given: object) -> list[Case]:
    plain: dict[str, object] = {"outcome": "clear", "suggested": ("Network",), "confidence": 0.93}
    return [Case(f"desk:{n}", AT, **{**plain, **given}) for n in range(count)]  # type: ignore[arg-type]


def checked(count: int, role: str = "Network") -> list[Case]:
    given = {"check": (role,), "said": (role,), "strength": 4 if role == "Network" else 5, "via": Via.CHECK}
    return some(count, drawn=True, **given)


def made(found: list[Case], language: str = "en", **more: Any) -> Document:
    nights = [Night(AT, "promoted", "better *by* 6 <b>")]
    return document(WEEK, found, nights, words(language), 0.9, **more)


def test_the_first_sentence_says_how_often_it_was_right_and_on_what_that_rests() -> None:
    text = as_text(made([*checked(36), *checked(2, "Electrician"), *some(9, outcome="none", reason="unsure")]))
    assert "suggested a role for 38 of 47 tickets. Of 38 of these, checked at random, 36 were right." in text
    assert "Right when clear: 95 % (between 83 and 99; 36 of 38 random checks)" in text
    assert "No role was likely enough  9" in text
    assert re.search(r"Network +Electrician +2$", text, re.MULTILINE)


def test_few_checks_say_nothing_and_ask_for_more() -> None:
    text = as_text(made([*checked(19), *some(5, drawn=True), *some(70, said=("Network",), strength=4)]))
    assert "Right when clear: too few to say (19 of 19)" in text
    assert "How often that is right cannot be said: 19 of these were checked at random, and 20 are needed" in text
    assert "5 random checks wait" in text
    assert "100 %" in text  # the control: all were clear
    assert "between" not in text


@pytest.mark.parametrize(
    ("language", "said"), [("en", "12 more"), ("de", "noch 12"), ("fr", "encore 12"), ("es", "12 más")]
)
def test_it_says_which_roles_lack_how_many_known_tickets(language: str, said: str) -> None:
    text = as_text(made(checked(40), language, needed={"Network": 12, "Gone since": 20}))
    assert said in text
    assert "Network" in text
    assert "Gone since" not in text
    assert said not in as_text(made(checked(40), language, needed={"Gone since": 20}))


def test_what_to_do_next_follows_from_the_numbers() -> None:
    assert "Nothing: no number asks for anything." in as_text(made(checked(40)))
    wrong = as_text(made([*checked(40), *checked(20, "Electrician")]))
    assert "Clear suggestions are right too rarely: 40 of 60" in wrong
    assert "Network had to be Electrician 20 times" in wrong
    silent = made(some(12, outcome="either_or", suggested=("Electrician",)))
    assert "None of 12 tickets of Electrician was clear" in as_text(silent)
    assert "No ticket was received in this week" in as_text(made([]))


def test_markdown_says_the_same_and_names_mean_nothing_in_it() -> None:
    found = [*some(3, said=("a|b *c* [d](e)",), strength=5, actor="Kim|x")]
    plain, marked = as_text(made(found, persons=True)), as_markdown(made(found, persons=True))
    assert r"a\|b \*c\* \[d\](e)" in marked
    assert r"better \*by\* 6 \<b\>" in marked
    assert "# Week 47" in marked
    assert "**3 of 3**" in marked

    def letters(text: str) -> list[str]:
        return re.findall(r"\w+", text)

    assert letters(re.sub(r"\|(---\|)+", "", marked)) == letters(plain)
    assert "Kim" in plain
    assert "Kim" not in as_text(made(found))


@pytest.mark.parametrize(
    ("count", "said"), [(1, "for the only ticket of this week."), (2, "for any of the 2 tickets of this week.")]
)
def test_a_week_without_a_clear_suggestion_says_so(count: int, said: str) -> None:
    text = as_text(made(some(count, outcome="none", reason="unsure")))
    assert f"Rolecall suggested no role clearly {said}" in text


def test_every_language_makes_a_report() -> None:
    text = as_text(made([*checked(36), *checked(4, "Electrician")], "de"))
    assert "Von 40 davon, zufällig geprüft, waren 36 richtig." in text


def test_no_line_of_a_french_report_begins_with_a_sign() -> None:
    for written in (as_text(made([*checked(36)], "fr")), as_markdown(made([*checked(36)], "fr"))):
        assert "- Reçus\xa0: 36" in written
        assert re.findall(r"[^\s|-] [:;?!%»](?!-)", written) == []


def test_hostile_names_stay_in_their_place_in_charts_and_tables() -> None:
    hostile = "<script>alert(1)</script>"
    point = charts.Point(hostile, hostile, 0.5, 0.2, 0.8)
    drawn = charts.intervals([point], hostile, goal=0.9) + charts.spark([0.1, 0.2], 0.2, hostile)
    drawn += charts.matrix([hostile], [hostile], {(hostile, hostile): 3}, hostile)
    drawn += charts.stacks([charts.Column(hostile, hostile, (1, 2, 3))], hostile)
    assert "<script" not in drawn
    assert "style" not in drawn
    table = Table((escape(hostile),), ((Markup("<b>{}</b>").format(hostile),),))
    part = Part(escape("x"), table=table)
    text = as_text(Document(WEEK, escape("t"), "", escape(""), (), (part,)))
    assert "<script>alert(1)</script>" in text  # as it was called: nobody interprets it


@pytest.mark.parametrize(("highest", "top"), [(0, 1), (1, 1), (6, 6), (11, 15), (412, 500), (9_999, 10_000)])
def test_charts_end_at_a_round_number_above_all(highest: int, top: int) -> None:
    assert charts.lines(highest)[-1] == top
    assert len(charts.lines(highest)) <= charts.MOST_LINES + 1


def test_a_share_is_drawn_where_it_is_between_its_ends() -> None:
    drawn = charts.intervals([charts.Point("1", "", 0.75, 0.5, 1.0), charts.Point("2", "")], "x", goal=0.9)
    assert drawn.count("<circle") == 1  # what is not known is not drawn
    low, high = charts.height(0.5, 0.5, 1.0), charts.height(1.0, 0.5, 1.0)
    assert f'd="M136.0 {low:.1f}V{high:.1f}"' in drawn
    assert f'cy="{(low + high) / 2:.1f}"' in drawn


def test_what_was_confused_with_what_is_drawn_and_in_its_table() -> None:
    corrected = {"strength": 5, "via": Via.PAGE}
    found = [*some(3, said=("Electrician",), **corrected), *some(1, said=(), **corrected), *checked(40)]
    (part,) = [part for part in made(found).parts if part.title.startswith("What was corrected")]
    assert re.findall(r"<title>(.*?)</title><rect", part.chart or "") == [
        "Network → Electrician: 3",
        "Network → None of ours: 1",
    ]
    strengths = [float(one) for one in re.findall(r'fill-opacity="([\d.]+)"', part.chart or "")]
    assert strengths[0] == charts.STRONGEST > strengths[1] > charts.FAINTEST
    assert part.table is not None
    assert [row[2] for row in part.table.rows] == ["3", "1"]
    (alone,) = [one for one in made(some(3, said=("Electrician",), **corrected)).parts if one.title == part.title]
    assert alone.chart is None, "one pair needs no drawing"


@pytest.mark.anyio
async def test_the_page_shows_a_week_and_leads_to_the_one_before(server: Running, desk: Desk) -> None:
    await server.deliver(desk.create("VPN is down", "The VPN drops."), desk.create("Hello", "A question."))
    await server.idle()
    viewer = signed_in(server, Rights.VIEWER)
    assert "No ticket was received" in words_of(await viewer.see("/report"))
    page = await viewer.see(f"/report/{Week.containing(desk.now().date())}")
    assert "for any of the 2 tickets of this week" in words_of(page)
    assert "No model yet, and no rule matched 1" in words_of(page)
    before = re.search(r'href="(/report/[^"]+)" rel="prev"', page)
    assert before is not None
    assert "No ticket was received" in words_of(await viewer.see(before[1]))
    for week in ("2999-W01", "2026-W99", "x"):
        assert (await viewer.client.get(f"/report/{week}")).status_code == 404


def test_the_command_prints_each_form(tmp_path: Path) -> None:
    files = f'data = "{tmp_path}"\nroles = "{TICKETS / "roles.toml"}"\nrules = "{TICKETS / "rules.toml"}"\n'
    (tmp_path / "agent.toml").write_text(files)
    Database.open_file(tmp_path / "rolecall.sqlite3").close()
    for form, told in (("text", "Week 47\n======="), ("markdown", "# Week 47"), ("html", "<h1>Week 47</h1>")):
        asked = ["report", "--week", "2026-W47", "--format", form, "--config", str(tmp_path / "agent.toml")]
        done = CliRunner().invoke(app, asked)
        assert done.exit_code == 0, done.output
        assert told in done.stdout
        assert "<script" not in done.stdout
    done = CliRunner().invoke(app, ["report", "2026-47", "--config", str(tmp_path / "agent.toml")])
    assert "write it as 20" in str(done.exception)


@pytest.mark.anyio
async def test_known_roles_are_exported_by_operators_and_the_log_says_so(server: Running, desk: Desk) -> None:
    await server.deliver(desk.create("VPN is down", "The VPN drops."))
    await server.idle()
    ops = signed_in(server, Rights.OPERATOR, "Ops")
    await ops.post("/tickets/desk/1", role="Electrician", seen="0")
    assert "Export known roles" in words_of(await ops.see("/report"))
    assert "Export known roles" not in words_of(await signed_in(server, Rights.REVIEWER).see("/report"))
    answer = await ops.post("/report", kind="csv")
    assert (answer.status_code, "attachment" in answer.headers["content-disposition"]) == (200, True)
    assert "1,VPN is down,The VPN drops.,Electrician," in answer.text
    assert ",desk,corrected,Ops," in answer.text
    assert (await ops.post("/report", kind="parquet")).content.startswith(b"PAR1")
    assert (await ops.post("/report", kind="exe")).status_code == 400
    assert [line.action for line in server.parts.database.call(audit.latest, 2)] == ["exported", "exported"]
    assert list(server.parts.directory.path.glob("export-*")) == []
