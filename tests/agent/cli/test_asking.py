"""The questions of `rolecall init`: what cannot be right is asked for again at once, and nothing is made up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from agent.cli import asking
from agent.cli.asking import Asker
from agent.errors import BadInput
from agent.first_day.connection import Answers, needs_of
from agent.first_day.files import Folder
from agent.first_day.survey import Survey, Told

Typed = Callable[..., list[str]]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Return what lets a person type these answers, and the list of questions that they were for."""

    def begin(*answers: str) -> list[str]:
        left: Iterator[str] = iter(answers)
        questions: list[str] = []

        def prompt(question: str, **_: object) -> str:
            questions.append(question)
            return next(left)

        monkeypatch.setattr(typer, "prompt", prompt)
        monkeypatch.setattr(Asker, "alone", property(lambda self: self.silent))
        return questions

    return begin


def helpdesk() -> Answers:
    return Answers(needs_of("django-helpdesk", Path()), "django-helpdesk", {}, {}, "", "")


def test_an_address_that_cannot_be_one_is_asked_for_again_before_anything_else(
    typed: Typed, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    questions = typed("desk.example.test", "https://desk.example.test", "t0ken", "roles.example.test", "http://r.test")
    folder = Folder(tmp_path, tmp_path / ".env", "")
    answers = asking.connection(Asker(), folder, tmp_path / "none.toml", "django-helpdesk", None, None, {}, None)

    assert (answers.given["url"], answers.public_url) == ("https://desk.example.test", "http://r.test")
    assert [question.split()[0] for question in questions] == ["Its", "Its", "token", "Where", "Where"]
    out = capfd.readouterr().out
    assert "'desk.example.test' has to begin with http:// or https://" in out
    assert "an API token for it" in out, "what the token is of is said before it is asked for"
    assert "HELPDESK_GET_NEW_TICKET_WEBHOOK_URLS" not in out, "nothing may be sent to a server that is not there yet"
    assert "HELPDESK_GET_NEW_TICKET_WEBHOOK_URLS" in answers.steps_left
    assert "an API token for it" not in answers.steps_left, "no step is shown twice"
    assert "an API token for it" in helpdesk().steps_left


def test_the_terminals_language_is_proposed_and_an_unknown_one_is_asked_for_again(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "")
    for place, proposed in (("de_AT.UTF-8", "de"), ("C.UTF-8", "en"), ("pt_BR.UTF-8", "en")):
        monkeypatch.setenv("LANG", place)
        assert asking.language_of(Asker(silent=True), None) == proposed
    assert asking.language_of(Asker(silent=True), "fr") == "fr"
    with pytest.raises(BadInput, match="--language klingon: can be en, de, fr, es"):
        asking.language_of(Asker(silent=True), "klingon")
    questions = typed("deutsch", "de")
    assert (asking.language_of(Asker(), None), len(questions)) == ("de", 2)
    assert "can be en, de, fr, es" in capfd.readouterr().out


def test_as_many_names_as_queues_are_needed(typed: Typed, capfd: pytest.CaptureFixture[str]) -> None:
    found, answers = Survey(Counter({"queue 2": 9, "queue 3": 8})), helpdesk()
    typed("net", "net, db")
    asking.name_groups(Asker(), answers, found, Told(), {})
    assert answers.given["queues"] == {"2": "net", "3": "db"}
    assert "'net' names 1 of 2 queues" in capfd.readouterr().out


def test_without_closed_tickets_people_name_the_roles(typed: Typed, capfd: pytest.CaptureFixture[str]) -> None:
    day = datetime(2025, 12, 1, tzinfo=UTC)
    questions = typed("Network", "net=Network, hr=People & Pay")
    assert asking.roles_of(Asker(), Survey(), {}, day) == {"net": "Network", "hr": "People & Pay"}
    assert len(questions) == 2
    assert "KEY=VALUE" in capfd.readouterr().out
    assert asking.roles_of(Asker(), Survey(), {"net": "Network"}, day) == {"net": "Network"}
    assert asking.roles_of(Asker(), Survey(Counter({"net": 1})), {}, day) == {}
    with pytest.raises(BadInput, match="--role GROUP=ROLE"):
        asking.roles_of(Asker(silent=True), Survey(), {}, day)
