"""Comments speak the language of the installation: every sentence of ours, and no other words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

import pytest

from agent.config.roles_file import load_roles
from agent.errors import BadInput
from agent.feedback.commands import Confirm, Correct, NoneOfOurs, parse
from agent.notes import answers, explaining, links, phrasing, reasons, solution, wording
from agent.pages.texts import LANGUAGES
from agent.triage.explanation import Voice
from agent.writing.note import Outcome, Part, Written
from agent.writing.thread import Sentence
from connectors.base import PRIVATELY, Markup
from connectors.markup import render
from connectors.note import Note
from tests.agent.notes.test_wording import CLEAR, EITHER_OR, hit, opinion

ROOMS = (wording, answers, links, explaining, reasons, phrasing, solution)
NO_SENTENCES = {"ENGLISH", "OTHER", "PATH", "PURPOSE", "EARLIER", "_QUOTES"}
NATIVE = {PRIVATELY, 'with "public" switched off', "as a comment"}
"""How staff write to each other in the systems that have code of their own."""
_SPECIAL = re.compile(r"\{\w+\}|\*\*|`[^`]*`")


def sentences() -> Iterator[str]:
    """Yield all that comments may say."""
    for room in ROOMS:
        for name, value in vars(room).items():
            if name.isupper() and name not in NO_SENTENCES:
                values = [value] if isinstance(value, str) else value.values() if isinstance(value, Mapping) else []
                yield from (str(each) for each in values if isinstance(each, str))
    yield from ("and", "or", "under 1 %", *map(str, Voice), *NATIVE)
    for preset in (resources.files("connectors") / "presets").iterdir():
        if preset.name.endswith(".toml"):
            post = tomllib.loads(preset.read_text("utf-8")).get("post", {})
            yield post.get("privately", PRIVATELY)


@pytest.fixture(params=[language for language in LANGUAGES if language != phrasing.ENGLISH])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    phrasing.speak(request.param)
    yield request.param
    phrasing.speak(phrasing.ENGLISH)


def test_every_sentence_is_there_in_every_language_and_no_other(language: str) -> None:
    assert set(sentences()) == phrasing.shipped(language).keys()


def test_each_has_the_same_values_marks_and_commands_as_in_english(language: str) -> None:
    found = phrasing.shipped(language)
    assert [k for k, v in found.items() if sorted(_SPECIAL.findall(k)) != sorted(_SPECIAL.findall(v))] == []
    assert [k for k, v in found.items() if (k[-1] == " ") != (v[-1] == " ") or not v.strip()] == []


def test_a_comment_is_in_that_language_and_gives_no_command(language: str) -> None:
    catalogue = load_roles(Path(__file__).parents[2] / "tickets/roles.toml")
    for verdict, ask in ((CLEAR, wording.RIGHT_OR_WRONG), (EITHER_OR, wording.WHICH)):
        note = wording.of_opinion(opinion(verdict, hit("VPN")), wording.Beside(short=("It leaks",), burst=("a:7",)))
        assert note is not None
        text = render(note, Markup.MARKDOWN)
        for sentence in (wording.WHY, wording.PHRASES, wording.SHORT, wording.BURST, PRIVATELY, ask):
            english, other = (max(_SPECIAL.split(each), key=len) for each in (sentence, phrasing.spoken(sentence)))
            assert other in text
            assert english == other or english not in text
        assert not isinstance(parse(text, catalogue), Confirm | Correct | NoneOfOurs)


@pytest.mark.parametrize(
    ("language", "head", "cause"),
    [
        ("en", "Role: VPN (97 %)", "Cause: “It leaks” [1]"),
        ("de", "Rolle: VPN (97 %)", "Ursache: „It leaks“ [1]"),
        ("fr", "Rôle\xa0: VPN (97\xa0%)", "Cause\xa0: «\xa0It leaks\xa0» [1]"),
        ("es", "Rol: VPN (97 %)", "Causa: «It leaks» [1]"),
    ],
)
def test_signs_stand_as_each_language_sets_them(language: str, head: str, cause: str) -> None:
    """No French line begins with a sign, and a stranger's words stand in the language's own quotation marks."""
    found = ((Part.CAUSE, (Sentence("It leaks", 1, "m", 0),)),)
    phrasing.speak(language)
    try:
        told = phrasing.rendered(wording.decided(["VPN"], 0.97), Markup.PLAIN)
        fixed = phrasing.rendered(Note((solution.of_closure(Written(Outcome.FIXED, found)),)), Markup.PLAIN)
    finally:
        phrasing.speak(phrasing.ENGLISH)
    assert (told, fixed.split("\n\n")[1]) == (head, cause)


def test_without_a_language_it_is_english() -> None:
    assert phrasing.spoken(wording.REPLACES) == wording.REPLACES


def test_an_installation_replaces_single_sentences(tmp_path: Path) -> None:
    (tmp_path / "comments.en.toml").write_text('"This replaces my earlier comment." = "See here instead."')
    phrasing.speak("en", tmp_path)
    try:
        assert phrasing.spoken(wording.REPLACES) == "See here instead."
        assert phrasing.spoken(answers.TAKEN_BACK) == answers.TAKEN_BACK
    finally:
        phrasing.speak("en")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('"No such sentence" = "x"', "no sentence of a comment is 'No such sentence'"),
        ('"This replaces my earlier comment." = ""', "has to be replaced by a sentence"),
        ('"In short: {facts}." = "{secret}"', "knows no such value"),
        ("in short = ", r"comments\.de\.toml"),
    ],
)
def test_a_sentence_that_cannot_be_said_is_refused_with_its_file(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "comments.de.toml").write_text(text)
    with pytest.raises(BadInput, match=fault):
        phrasing.speak("de", tmp_path)
    assert phrasing.spoken(wording.REPLACES) == wording.REPLACES


def test_a_file_of_ones_own_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "comments.de.toml").write_text(
        '\ufeff"Rolecall is set to leave its queue alone." = "Geht uns nichts an."\n', "utf-8"
    )
    try:
        phrasing.speak("de", tmp_path)
        assert phrasing.spoken("Rolecall is set to leave its queue alone.") == "Geht uns nichts an."
    finally:
        phrasing.speak(phrasing.ENGLISH)
