"""What messages say, by the cues of their language: one file of patterns a language, in `cues/`."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

import re2  # type: ignore[import-untyped]  # google-re2 ships no stubs

LEAST_WORDS = 2
"""So many of a language's commonest words tell that a text is in it."""
MEMORY = 256 << 20
"""Bytes that the automaton of a language's cues may take: a limit, not what it takes."""
LONGEST = 1_000
"""Characters of a sentence that are searched."""

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_SIGN = re.compile(r"([^\w\s'-])")


class Cue(StrEnum):
    """What a sentence does."""

    ACTION = "action"
    CAUSE = "cause"
    PROBLEM = "problem"
    REQUEST = "request"
    CHATTER = "chatter"
    FAILED = "failed"
    CONFIRM = "confirm"
    SELF_FIX = "self_fix"
    DECLINED = "declined"
    DUPLICATE = "duplicate"
    WORKAROUND = "workaround"
    PROMISE = "promise"
    NO_FIX = "no_fix"
    ASIDE = "aside"
    DONE = "done"
    DENIAL = "denial"
    OPEN = "open"
    WISH = "wish"
    DOUBT = "doubt"
    REGRET = "regret"
    IF = "if"
    FINDING = "finding"
    """Before what was done, the same sentence says something: of no list."""
    RESULT = "result"
    """Behind what was done, the same sentence says something, which may be that it did not help: of no list."""
    ALREADY = "already"
    DEED = "deed"
    """What was done, by the form of the verb; `DONE` is by its meaning."""
    HEDGE = "hedge"
    """What looks so, or is suspected: nobody knows it."""
    ATTEMPT = "attempt"
    """What was done, and in the same sentence that it did not help: of no list."""
    UNWANTED = "unwanted"
    """Who asked for it wants nothing done any more."""
    GOOD = "good"
    """A reply is content, which says of an answer that it helped, and of a refusal nothing."""
    INJECTED = "injected"


@dataclass(frozen=True, slots=True)
class Language:
    """The cues of one language, and the commonest words by which it is known."""

    code: str
    words: frozenset[str]
    generic: frozenset[str]
    """Words of subjects that leave open what a ticket is about."""
    kinds: tuple[Cue, ...]
    """The kind of each pattern, in the order in which `search` numbers them."""
    search: Any

    def cues(self, sentence: str) -> Mapping[Cue, int]:
        """Return how many patterns of each kind a sentence matches."""
        return Counter(self.kinds[found] for found in self.search.Match(_spaced(sentence[:LONGEST])) or ())


@cache
def _tables() -> Mapping[str, Mapping[str, Sequence[str]]]:
    folder = resources.files("agent.writing") / "cues"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return {file.name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8")) for file in files}


@cache
def languages() -> tuple[Language, ...]:
    """Return all languages with cues. Reading them takes a tenth of a second, once."""
    return tuple(_language(code, table) for code, table in _tables().items())


@cache
def _orders() -> Any:
    """Return the search for orders to us, in all languages: a short one is in no language that can be told."""
    return _search([pattern for table in _tables().values() for pattern in table[Cue.INJECTED]])


def orders(sentence: str) -> bool:
    """Return whether a sentence gives orders to whoever writes the note, in any language with cues."""
    return bool(_orders().Match(_spaced(sentence[:LONGEST])))


@cache
def phrases(name: str) -> re.Pattern[str]:
    """Return the expression of a list that is no cue, in all languages: thanks are given in any."""
    words = "|".join(pattern for table in _tables().values() for pattern in table[name])
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.I)


def _search(patterns: Sequence[str]) -> Any:
    options = re2.Options()
    options.log_errors, options.max_mem = False, MEMORY
    search = re2.Set.SearchSet(options)
    for pattern in patterns:
        search.Add(_bounded(pattern))
    search.Compile()
    return search


def _language(code: str, table: Mapping[str, Sequence[str]]) -> Language:
    kinds = [kind for kind in Cue if kind is not Cue.INJECTED for _ in table.get(kind, ())]
    search = _search([pattern for kind in dict.fromkeys(kinds) for pattern in table[kind]])
    return Language(code, frozenset(table["words"]), frozenset(table["generic"]), tuple(kinds), search)


def _spaced(sentence: str) -> str:
    """Return a sentence as patterns see it: small letters, one blank around each word and sign."""
    parted = _SIGN.sub(r" \1 ", sentence.lower().replace("’", "'"))
    return f" {' '.join(parted.split())} "


def _bounded(pattern: str) -> str:
    """Return a pattern that matches whole words; with `^` and `$` it matches at the beginning and at the end alone."""
    words = pattern.removeprefix("^").removesuffix("$").strip()
    return f"{'^' if pattern.startswith('^') else ''} (?:{words}) {'$' if pattern.endswith('$') else ''}"


def language_of(text: str, usual: Language | None = None, least: int = LEAST_WORDS) -> Language | None:
    """Return the language of a text that has cues; None where it is none of them, or there is too little text.

    `usual` is that of the texts around it, and of this one unless another tells itself by clearly more words: "no" and
    "he" are Spanish, too.
    """
    words = [word.casefold() for word in _WORD.findall(text[:2_000])]
    counts = [(sum(word in language.words for word in words), language) for language in languages()]
    count, best = max(counts, key=lambda pair: pair[0])
    if usual is not None and count < LEAST_WORDS + next(n for n, language in counts if language is usual):
        return usual
    alone = sum(n == count for n, _ in counts) == 1
    return best if count >= LEAST_WORDS or (count >= least and alone) else None
