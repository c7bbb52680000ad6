"""The language of comments. Our sentences stand in English in the code; in `texts/`, what is said for them in others.

    speak("de")
    spoken("This replaces my earlier comment.")     # "Das ersetzt meinen früheren Kommentar."

A server speaks one language: that of the context in which it was made, which its tasks and threads inherit. An
installation replaces sentences in `comments.LANGUAGE.toml` in its folder of texts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextvars import ContextVar
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from agent.errors import BadInput

ENGLISH = "en"

_VALUES = re.compile(r"\{(\w+)\}")
_sentences: ContextVar[Mapping[str, str]] = ContextVar("sentences", default=MappingProxyType({}))


def speak(language: str, folder: Path | None = None) -> None:
    """Make comments speak this language from now on. Raises BadInput for a sentence that cannot be said."""
    chosen = shipped(language)
    own = folder / f"comments.{language}.toml" if folder else None
    if own is not None and own.is_file():
        chosen |= _own(own)
    _sentences.set(chosen)


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
        given = tomllib.loads(file.read_text("utf-8"))
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
