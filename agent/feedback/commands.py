"""The reply commands, as people type them, in their own words alone: `/role` and a NAME, ok, none, undo, why, summary.

`/role` (`/rolle`, `/rôle` and `/rol`, too) counts as the first thing on a line. After it the longest role or alias that
matches counts, and more behind commas as far as these are roles, too; what else follows is ignored. `role NAME` without
slash and colon counts where the line holds nothing else. A role that is called as a command keeps its meaning. Where
somebody seems to want a command that does not count, the answer says why.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.domain import RoleCatalogue, fold
from agent.text.mail_phrases import GREETINGS
from agent.text.own_words import ROLE_WORD, SLASH_ROLE, Origin, lines, spelling
from agent.text.reading import plain_text
from connectors.markup import by_rolecall

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Confirm:
    """`/role ok`: the suggested roles are right."""


@dataclass(frozen=True, slots=True)
class Correct:
    """`/role NAME`: these roles are right, by their official names."""

    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoneOfOurs:
    """`/role none`: no role of ours should handle the ticket."""


@dataclass(frozen=True, slots=True)
class Undo:
    """`/role undo`: the ticket's last answer is taken back."""


@dataclass(frozen=True, slots=True)
class Why:
    """`/role why`: the author wants to see the evidence."""


@dataclass(frozen=True, slots=True)
class Summarise:
    """`/role summary`: the author wants to know where the ticket stands."""


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """`/role NAME` with a name that no role has; `close` are the nearest ones that exist."""

    name: str
    close: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Misplaced:
    """`/role` in the middle of a line or of a sentence: not carried out; the answer says where it belongs."""


@dataclass(frozen=True, slots=True)
class Contradictory:
    """Two different commands in one reply: neither is carried out; the answer asks which one is meant."""


Obeyed = Confirm | Correct | NoneOfOurs | Undo | Why | Summarise
Command = Obeyed | NotUnderstood | Misplaced | Contradictory

WORDS: Mapping[str, Obeyed] = {
    "ok": Confirm(),
    "none": NoneOfOurs(),
    "undo": Undo(),
    "why": Why(),
    "summary": Summarise(),
}
OTHER_LANGUAGES: Mapping[str, str] = {
    **dict.fromkeys(("yes", "correct", "ja", "richtig", "stimmt", "oui", "exact", "d'accord"), "ok"),
    **dict.fromkeys(("si", "sí", "correcto", "de acuerdo", "vale"), "ok"),
    **dict.fromkeys(("keine", "keiner", "aucun", "aucune", "ninguno", "ninguna", "ningún rol"), "none"),
    **dict.fromkeys(("rückgängig", "annuler", "deshacer"), "undo"),
    **dict.fromkeys(("warum", "pourquoi", "por qué", "por que"), "why"),
    **dict.fromkeys(("zusammenfassung", "résumé", "resume", "resumen"), "summary"),
}
"""The same words in the languages that comments speak. They count where nothing follows, as after "keine"."""
WITHOUT_SLASH = ("ok", "none", "undo")

_MARKUP = r"[\s*_~`#+•\\-]*(?:\d{1,2}[.)]\s+)?[*_~`]*"
"""What may stand before a command: list marks, headings, emphasis, code spans."""

# telephones put a blank behind the slash
_COMMAND = re.compile(
    rf"^{_MARKUP}[/\uff0f\u2044\u2215\\][ \t]?{ROLE_WORD}(?![^\W_])[*_~`]*[ \t]*[:\uff1a]?(?P<what>.*)$", re.I
)
_STRUCK = re.compile(
    r"<(s|del|strike)(?:\s[^<>\n]{0,200})?>[^<>\n]*</\1>|~~(?![\s~])[^~\n]*~~|^[ \t]*-(?=[/\uff0f]).*\S-[ \t]*$",
    re.I | re.M,
)
"""What its author has struck out, in HTML, Markdown and Textile."""
_BARE = re.compile(r"^role[ \t]+(?P<what>[^:?]+)$", re.I)
_ANYWHERE = re.compile(rf"(?<![\w/.\uff0f]){SLASH_ROLE}(?!\w)", re.I)
_GREETING = re.compile(rf"^(?:{'|'.join(GREETINGS)})(?!\w)(?:\W+\w+){{0,3}}\W*$", re.I)
_WORD = re.compile(rf"(?:{'|'.join(WORDS)})", re.I)
_EDGES = " \t`*_~\"'“”„«»()[]<>.!¡;:"
_BETWEEN = " \t:"
_BEFORE = _EDGES + "?¿=-–—→"
_COMMAS = (",", "，", "、")
_AND = re.compile(r"\s*(?:[;+&/]|(?<=[\s\W])(?:and|und|et|y)(?!\w))\s*", re.I)
_JOINING = "-‐‑–/&+'’.@"
"""Signs that make one word of the letters on both sides."""


def parse(text: str, roles: RoleCatalogue) -> Command | None:
    """Return the command in a reply, or None where there is none. Repeating a command is no contradiction."""
    own = [line.text if line.origin is Origin.OWN else "" for line in lines(plain_text(_STRUCK.sub(" ", text)))]
    found = list(_given(own, roles))
    meant = {_same(command): command for command in reversed(found) if not isinstance(command, Misplaced)}
    if len(meant) > 1:
        return Contradictory()
    return next(iter(meant.values()), None) or next(iter(found), None)


def given(text: str, roles: RoleCatalogue) -> Command | None:
    """Return the command in a reply; of a comment that a Rolecall wrote, none: two would answer each other without end.

    Where its mark stands in what is quoted, a person has quoted such a comment.
    """
    if by_rolecall(text):
        last = next((line for line in reversed(lines(plain_text(text))) if line.text.strip()), None)
        if last is None or last.origin is not Origin.QUOTED:
            return None
    return parse(text, roles)


def _same(command: Command) -> object:
    """Return what two commands that mean the same have in common: the order of roles does not count."""
    return frozenset(command.roles) if isinstance(command, Correct) else command


def _given(own: Sequence[str], roles: RoleCatalogue) -> Iterator[Command]:
    """Yield the command of each line. Lines that are not the author's own are empty in `own`."""
    for index, line in enumerate(own):
        before, after = own[index - 1] if index else "", own[index + 1] if index + 1 < len(own) else ""
        if found := _COMMAND.match(line):
            if _within_sentence(before, after):
                yield Misplaced()
            else:  # a second command on the line is one, too
                yield from (_meant(what, roles) for what in _ANYWHERE.split(found["what"]))
        elif (bare := _BARE.match(line.strip(_EDGES))) and not _within_sentence(before, after):
            if exact := _exactly(bare["what"].strip(_EDGES), roles):
                yield exact
        elif _ANYWHERE.search(line):
            yield Misplaced()


def _within_sentence(before: str, after: str) -> bool:
    """Return whether a line that begins with a command is the middle of a wrapped sentence."""
    above = before.strip()
    if not above or not _letter(above[-1]) or _COMMAND.match(before) or _GREETING.match(above):
        return False
    return after.lstrip()[:1].islower()


def _meant(what: str, roles: RoleCatalogue) -> Command:
    """Return what the words behind `/role` mean."""
    named: list[str] = []
    rest = what.lstrip(_BETWEEN)
    while found := _longest(rest, roles) or _longest(rest.lstrip(_BEFORE), roles):  # a name may begin with a sign
        name, rest = found
        if name not in named:
            named.append(name)
        named += [name for name in _listed(rest, roles) if name not in named]
        rest = rest.lstrip(_EDGES)
        if not rest.startswith(_COMMAS):
            break
        rest = rest[1:].lstrip(_BETWEEN)
    rest = rest.lstrip(_BEFORE)
    if named:
        return Correct(tuple(named))
    word = rest[:LONGEST_NAME]
    if (reserved := _WORD.match(word)) and _ends(word, reserved.end()):
        return WORDS[reserved[0].lower()]
    if (foreign := OTHER_LANGUAGES.get(spelling(word.strip(_BEFORE)))) is not None:
        return WORDS[foreign]
    name = re.split(f"[{''.join(_COMMAS)}]", word)[0].strip(_BEFORE)
    return NotUnderstood(name, roles.near(name) or roles.near(name.partition(" ")[0]))


def _listed(rest: str, roles: RoleCatalogue) -> list[str]:
    """Return the roles that go on by "and" or a sign, where nothing else follows: other words may be a remark."""
    if not (joint := _AND.match(rest)) or not (found := _longest(rest[joint.end() :], roles)):
        return []
    name, rest = found
    further = _listed(rest, roles)
    return [name, *further] if further or not rest.strip(_EDGES) else []


def _longest(text: str, roles: RoleCatalogue) -> tuple[str, str] | None:
    """Return the role whose name or alias is the longest beginning of the text, and what follows it."""
    for end in range(min(len(text), LONGEST_NAME), 0, -1):
        if _ends(text, end) and (role := roles.lookup(text[:end])):
            return role.name, text[end:]
    return None


def _ends(text: str, end: int) -> bool:
    """Return whether a word ends here: no letter, digit or sign of one follows, nor a hyphen with more behind it."""
    following = text[end : end + 2]
    if following[:1] and following[0] in _JOINING:
        following = following[1:]
    return not following or not (_letter(following[0]) or following[0].isnumeric() or following[0] == "_")


def _letter(sign: str) -> bool:
    """Return whether a sign is a letter, or a mark that belongs to one: vowel signs of Indic scripts are no letters."""
    return unicodedata.category(sign)[0] in "LM" or sign in "\u200c\u200d"


def _exactly(what: str, roles: RoleCatalogue) -> Command | None:
    if role := roles.lookup(what):
        return Correct((role.name,))
    word = fold(what)
    return WORDS[word] if word in WITHOUT_SLASH else None
