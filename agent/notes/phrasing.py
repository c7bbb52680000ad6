"""How our sentences are said: in the language of comments, as spans, with values, lists of names and percents in them.

    speak("de")
    spoken("This replaces my earlier comment.")     # "Das ersetzt meinen früheren Kommentar."

They stand in English in the code; in `texts/`, what is said for them in other languages. A server speaks one language:
that of the context in which it was made, which its tasks and threads inherit. An installation replaces sentences in
`comments.LANGUAGE.toml` in its folder of texts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar, copy_context
from functools import partial
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from agent.domain import id_of
from agent.errors import BadInput
from connectors import markup
from connectors.base import Markup
from connectors.markup import excerpt
from connectors.note import Note, Paragraph, Span, Style

if TYPE_CHECKING:
    from agent.triage.evidence import Neighbour

P = ParamSpec("P")
T = TypeVar("T")

ENGLISH = "en"
NEIGHBOUR = "{number} {subject} ({roles})"
HELPED = "{number} {subject} ({roles}; what helped: {fix})"
PERCENT = "{share} %"
MOST_DECIMALS = 3
_QUOTES = {"de": "„{}“", "fr": "«\xa0{}\xa0»", "es": "«{}»"}

_VALUES = re.compile(r"\{(\w+)\}")
_MARKED = re.compile(r"\*\*(?P<strong>.+?)\*\*|`(?P<code>[^`]+)`|\{(?P<value>\w+)\}|(?P<plain>[^*`{]+|.)")
_FRENCH = re.compile(r" (?=[;:?!»%])|(?<=«) ")
"""Blanks before signs and within quotation marks, at which no French line breaks."""

_sentences: ContextVar[Mapping[str, str]] = ContextVar("sentences", default=MappingProxyType({}))
_quotes: ContextVar[str] = ContextVar("quotes", default=markup.QUOTES)


def speak(language: str, folder: Path | None = None) -> None:
    """Make comments speak this language from now on. Raises BadInput for a sentence that cannot be said."""
    chosen = shipped(language)
    own = folder / f"comments.{language}.toml" if folder else None
    if own is not None and own.is_file():
        chosen |= _own(own)
    _sentences.set({sentence: bound(said, language) for sentence, said in chosen.items()})
    _quotes.set(_QUOTES.get(language, markup.QUOTES))


def here(say: Callable[P, T]) -> Callable[P, T]:
    """Return a function as it speaks here, whoever calls it: the database's threads know no language."""
    return partial(copy_context().run, say)


def bound(sentence: str, language: str) -> str:
    """Return a sentence of ours in which no line begins or ends at a sign that belongs to the word beside it."""
    return _FRENCH.sub("\N{NO-BREAK SPACE}", sentence) if language == "fr" else sentence


def spoken(sentence: str) -> str:
    """Return what is said for one of our sentences: itself, where the language has nothing for it."""
    return _sentences.get().get(sentence, sentence)


def shipped(language: str) -> dict[str, str]:
    """Return the sentences of a language by the English ones; of English, none."""
    if language == ENGLISH:
        return {}
    return tomllib.loads((resources.files("agent.notes") / "texts" / f"{language}.toml").read_text("utf-8"))


def _own(file: Path) -> Mapping[str, str]:
    try:
        given = tomllib.loads(file.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{file}: {error}") from None
    known = shipped("de")
    for sentence, instead in given.items():
        if sentence not in known:
            raise BadInput(f"{file}: no sentence of a comment is {sentence!r}")
        if not isinstance(instead, str) or not instead.strip():
            raise BadInput(f"{file}: {sentence!r} has to be replaced by a sentence")
        if set(_VALUES.findall(instead)) - set(_VALUES.findall(sentence)):
            raise BadInput(f"{file}: {sentence!r} knows no such value as one in {instead!r}")
    return given


def worded(sentence: str, **values: str | Sequence[Span]) -> Paragraph:
    """Return the spans of one of our sentences, with `**strong**`, `` `code` `` and `{value}` interpreted.

    It is said in the language of comments. Values are inserted literally, even if they look like markup; a string takes
    the style of the words around it.
    """
    return tuple(_spans(spoken(sentence), Style.PLAIN, values))


def _spans(sentence: str, style: Style, values: Mapping[str, str | Sequence[Span]]) -> Iterator[Span]:
    for found in _MARKED.finditer(sentence):
        match found.lastgroup:
            case "strong":
                yield from _spans(found["strong"], Style.STRONG, values)
            case "code":
                yield Span(found["code"], Style.CODE)
            case "value":
                value = values[found["value"]]
                yield from [Span(value, style)] if isinstance(value, str) else value
            case _:
                yield Span(found[0], style)


def rendered(note: Note, form: Markup, mark: str = "") -> str:
    """Return the note in the system's markup, a stranger's words in the language's quotation marks."""
    return markup.render(note, form, mark, _quotes.get())


def listed(words: Sequence[str], last: str) -> str:
    """Return the words as a list in a sentence, with `last` ("and", "or") before the last one."""
    return f" {spoken(last)} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def joined(parts: Sequence[Paragraph], between: str) -> Paragraph:
    """Return the parts as one paragraph, with the words `between` them."""
    return tuple(span for part in parts for span in (Span(between), *part))[1:]


def percent(share: float) -> str:
    """Return a confidence in percent. Nothing is certain: it ends at 99."""
    return spoken("under 1 %") if share < 0.01 else _share(f"{min(round(share * 100), 99)}")


def percents_apart(a: float, b: float) -> tuple[str, str]:
    """Return two confidences in percent, with the decimals that it takes to tell them apart."""
    if a != b and percent(a) == percent(b):
        for decimals in range(1, MOST_DECIMALS):
            if (shown := (f"{a * 100:.{decimals}f}", f"{b * 100:.{decimals}f}"))[0] != shown[1]:
                return _share(shown[0]), _share(shown[1])
    return percent(a), percent(b)


def _share(number: str) -> str:
    return spoken(PERCENT).format(share=number)


def neighbour(near: Neighbour, subject: str, fix: str | None = None) -> Paragraph:
    """Return a similar ticket by its number, its first words and its roles, and what helped there where it is known."""
    number = id_of(near.ticket_key)
    if fix:
        roles = listed(near.roles, "and")
        return worded(HELPED, number=number, subject=[excerpt(subject)], roles=roles, fix=[excerpt(fix)])
    return worded(NEIGHBOUR, number=number, subject=[excerpt(subject)], roles=listed(near.roles, "and"))
