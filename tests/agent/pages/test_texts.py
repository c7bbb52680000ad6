"""Every sentence that people see on a page stands in the files of sentences, in every language, and can be replaced."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import get_args

import pytest

from agent.config.edited import Kept
from agent.config.settings import Settings
from agent.domain import Outcome, RoleCatalogue, TrainingOutcome
from agent.errors import BadInput
from agent.pages.queue import Order
from agent.pages.signing import audit
from agent.pages.signing.rights import Rights
from agent.pages.texts import LANGUAGES, Texts, load, values_in
from agent.pages.words import Words
from agent.store.stages import Why
from agent.store.writings import Verdict
from agent.triage.thresholds import Basis
from connectors.events import Kind

PAGES = Path(__file__).parents[3] / "agent" / "pages"
TEMPLATES = sorted((PAGES / "templates").iterdir())
_JINJA = re.compile(r"\{%.*?%\}|\{#.*?#\}|\{\{.*?\}\}", re.DOTALL)
_SHOWN = re.compile(r'(?:aria-label|title|placeholder|alt|data-label)="([^"]*)"')
_LETTERS = re.compile(r"[^\W\d_]{2,}")
OWN_NAME = "Rolecall"
_MARKS = re.compile(r"\*\*|`[^`]*`")


def outside(template: str) -> list[str]:
    """Return the words of a template that people would see and that stand in no file of sentences."""
    bare = _JINJA.sub("", template)
    shown = [re.sub(r"</?[a-z][a-z0-9]*\b[^>]*>|<!doctype html>", " ", bare), *_SHOWN.findall(bare)]
    return [word for text in shown for word in _LETTERS.findall(text) if word != OWN_NAME]


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_no_sentence_stands_in_a_template(file: Path) -> None:
    assert outside(file.read_text("utf-8")) == []


@pytest.mark.parametrize("template", ["<p>Hello</p>", '<a title="More">{{ x }}</a>', "{% if x %}Yes{% endif %}"])
def test_control_a_sentence_in_a_template_is_found(template: str) -> None:
    assert outside(template) != []


def test_every_language_has_the_same_sentences_with_the_same_values() -> None:
    english = load("en")
    for language in LANGUAGES:
        sentences = load(language).sentences
        assert sentences.keys() == english.sentences.keys()
        assert {k for k, s in sentences.items() if values_in(s) != values_in(english.sentences[k])} == set()
        assert [k for k, s in sentences.items() if not s.strip()] == []
        assert {k for k, s in sentences.items() if marks(s) != marks(english.sentences[k])} == set()
        assert [len(sentences[k].split()) for k in ("months", "weekdays")] == [12, 7]


@pytest.mark.parametrize(
    ("begun", "values"),
    [
        ("basis", Basis),
        ("filter", Outcome),
        ("because", Order),
        ("training", TrainingOutcome),
        ("rights", Rights),
        ("rights_what", Rights),
        ("action", audit.Action),
        ("event", Kind),
        ("file", Kept),
        ("logged_why", Why),
        ("logged_verdict", Verdict),
    ],
)
def test_what_is_named_by_a_value_has_a_sentence_for_each(begun: str, values: type[StrEnum]) -> None:
    """A page that looks for one which is not there fails as a whole."""
    assert {f"{begun}.{value}" for value in values} - load("en").sentences.keys() == set()


def marks(sentence: str) -> list[str]:
    return sorted(_MARKS.findall(sentence))


def test_the_setting_takes_every_language_and_no_other() -> None:
    assert get_args(Settings.model_fields["language"].annotation) == LANGUAGES
    assert {file.stem for file in (PAGES / "texts").iterdir()} == set(LANGUAGES)


@pytest.mark.parametrize(
    ("language", "this_year", "another", "first"),
    [
        ("en", "3 March", "3 March 2025", "1 April"),
        ("de", "3. März", "3. März 2025", "1. April"),
        ("fr", "3 mars", "3 mars 2025", "1er avril"),
        ("es", "3 de marzo", "3 de marzo de 2025", "1 de abril"),
    ],
)
def test_days_are_written_as_in_each_language(language: str, this_year: str, another: str, first: str) -> None:
    words = Words(load(language), RoleCatalogue(()), lambda: datetime(2026, 3, 9, 12, tzinfo=UTC))
    assert words.day(datetime(2026, 3, 3, 12, tzinfo=UTC)) == this_year
    assert words.day(datetime(2025, 3, 3, 12, tzinfo=UTC)) == another
    assert words.day(datetime(2026, 4, 1, 12, tzinfo=UTC)) == first


@pytest.mark.parametrize(
    ("language", "count", "weight", "size", "today"),
    [
        ("en", "12,345", "+4.0", "1.1 GB", "Monday, 9 March"),
        ("de", "12.345", "+4,0", "1,1 GB", "Montag, 9. März"),
        ("fr", "12\u202f345", "+4,0", "1,1 Go", "lundi 9 mars"),
        ("es", "12.345", "+4,0", "1,1 GB", "lunes, 9 de marzo"),
    ],
)
def test_numbers_are_written_as_in_each_language(language: str, count: str, weight: str, size: str, today: str) -> None:
    words = Words(load(language), RoleCatalogue(()), lambda: datetime(2026, 3, 9, 12, tzinfo=UTC))
    assert (words.texts.figure(12_345), words.texts.figure(4.0, "+.1f")) == (count, weight)
    assert (words.size(1.1e9), words.today()) == (size, today)
    assert count in words.texts.number("search.tickets", 12_345)
    assert count in words.texts("report.of", right=12_345, count=20_000)
    assert words.texts("report.of", right="12345", count=True).startswith("12345"), "a name stays as it is"


def test_no_french_line_begins_with_a_sign() -> None:
    texts = Texts("fr", {"x": "Trop peu ; est-ce « ici » ?"})
    assert texts("x") == "Trop peu\xa0; est-ce «\xa0ici\xa0»\xa0?"
    assert Texts("en", texts.sentences)("x") == texts.sentences["x"]


def test_no_thousands_or_weights_are_written_past_the_language() -> None:
    sources = [file.read_text("utf-8") for file in [*TEMPLATES, *PAGES.rglob("*.py")]]
    assert [found for text in sources for found in re.findall(r".*(?::,\}|%\+?\.\df|\{:,|\|format\().*", text)] == []


def test_every_sentence_is_used_and_every_one_that_is_used_exists() -> None:
    sources = [file.read_text("utf-8") for file in [*TEMPLATES, *PAGES.rglob("*.py")]]
    used = {key for text in sources for key in re.findall(r"""["']([a-z_]+(?:\.[a-z_]+)*)["']""", text)}
    begun = {key for text in sources for key in re.findall(r'"([a-z_.]+\.)(?:" ~|\{)', text)}
    known = load("en").sentences.keys()
    stems = {key.removesuffix(".one").removesuffix(".other") for key in known}
    assert {k for k in known if k not in used and not k.startswith(tuple(begun))} - {
        k for k in known if k.rpartition(".")[0] in used
    } == set()
    called = {
        key for text in sources for key in re.findall(r'\b(?:t|texts)(?:\.number)?\(\s*"([a-z_.]+)"\s*[,)]', text)
    }
    assert called - known - stems == set()


def test_a_sentence_of_ones_own_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text('\ufeff[sign_in]\ntitle = "Log in <b>now</b>, **please**"\n')
    texts = load("en", tmp_path)
    assert texts("sign_in.title") == "Log in &lt;b&gt;now&lt;/b&gt;, <b>please</b>"
    assert texts("sign_in.too_many", time="<i>") == "Too many tries. Again at &lt;i&gt;."


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ('[sign_in]\ntitel = "x"', "no sentence sign_in.titel"),
        ('[sign_in]\ntoo_many = "x"', "same values"),
        ('[sign_in]\ntoo_many = "{time!r:{time}} {"', "same values"),
        ("[sign_in]\ntitle = 3", "no string"),
        ("[sign_in", "en.toml"),
    ],
)
def test_a_faulty_file_is_refused_by_name(tmp_path: Path, own: str, told: str) -> None:
    (tmp_path / "en.toml").write_text(own)
    with pytest.raises(BadInput, match=told):
        load("en", tmp_path)
