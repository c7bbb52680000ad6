"""The sentences of the pages: one file a language, each sentence replaceable in the installation's own folder.

    texts = load("de", Path("config/texts"))
    texts("sign_in.title")                      # Markup
    texts("sign_in.too_many", time="08:58")     # values are escaped, unless they are Markup already

A sentence may hold `{value}`, `**strong**` and `` `code` ``; nothing else in it means anything.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from pathlib import Path

from markupsafe import Markup, escape

from agent.errors import BadInput
from agent.notes.phrasing import bound

LANGUAGES = ("en", "de", "fr", "es")

_MARKED = re.compile(r"\*\*(.+?)\*\*|`([^`]+)`")


@dataclass(frozen=True)
class Texts:
    """All sentences of one language, by their dotted keys."""

    language: str
    sentences: Mapping[str, str]

    @cached_property
    def _marked(self) -> dict[str, Markup]:
        return {key: _as_markup(bound(sentence, self.language)) for key, sentence in self.sentences.items()}

    def __call__(self, key: str, **values: object) -> Markup:
        """Return a sentence with its values, as HTML, whole numbers as the language writes them.

        Raises KeyError for a key that is in no file.
        """
        said = {name: self.figure(value) if type(value) is int else value for name, value in values.items()}
        return self._marked[key].format(**said) if said else self._marked[key]

    def number(self, key: str, count: int, **values: object) -> Markup:
        """Return the sentence for one, or the one for several, which get `{count}`."""
        return self(f"{key}.{'one' if count == 1 else 'other'}", count=self.figure(count), **values)

    def figure(self, number: float, form: str = ",") -> Markup:
        """Return a number as the language writes it. `form` is Python's: https://docs.python.org/3/library/string.html."""
        signs = re.sub(r"\d", "", str(self("number")))  # of thousands, which there may be none of, and of decimals
        return escape(f"{number:{form}}".translate({ord(","): signs[:-1], ord("."): signs[-1:]}))

    def has(self, key: str) -> bool:
        """Return whether there is such a sentence."""
        return key in self.sentences


def load(language: str, own: Path | None = None) -> Texts:
    """Return the sentences of a language, with those of the folder `own` in their place.

    Raises BadInput where its file cannot be used.
    """
    shipped = _shipped(language)
    file = own / f"{language}.toml" if own else None
    if file is None or not file.exists():
        return shipped
    try:
        given = dict(flat(tomllib.loads(file.read_text("utf-8-sig"))))
    except (OSError, ValueError) as error:
        raise BadInput(f"{file}: {error}") from error
    for key, sentence in given.items():
        if not shipped.has(key):
            raise BadInput(
                f"{file}: there is no sentence {key}: the keys are those of agent/pages/texts/{language}.toml"
            )
        if wrong := values_in(sentence) ^ values_in(shipped.sentences[key]):
            raise BadInput(f"{file}: {key} has to use the same values as the shipped one: {', '.join(sorted(wrong))}")
    return Texts(language, {**shipped.sentences, **given})


def values_in(sentence: str) -> frozenset[str]:
    """Return the names of a sentence's values. A sentence that cannot be read has one that no other has."""
    try:
        return frozenset(name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None)
    except ValueError:
        return frozenset({sentence})


def flat(table: Mapping[str, object], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted keys and sentences. Raises ValueError for a value that is no string."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{key}.")
        elif isinstance(value, str):
            yield f"{before}{key}", value
        else:
            raise ValueError(f"{before}{key} is no string")  # noqa: TRY004 - of a file, like a fault of its syntax


@cache
def _shipped(language: str) -> Texts:
    file = resources.files("agent.pages") / "texts" / f"{language}.toml"
    return Texts(language, dict(flat(tomllib.loads(file.read_text("utf-8")))))


def _as_markup(sentence: str) -> Markup:
    parts, at = [], 0
    for found in _MARKED.finditer(sentence):
        strong, code = found.groups()
        marked = Markup("<b>{}</b>").format(strong) if strong else Markup("<code>{}</code>").format(code)
        parts += [escape(sentence[at : found.start()]), marked]
        at = found.end()
    return Markup("").join([*parts, escape(sentence[at:])])
