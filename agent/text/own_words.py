"""Divide a message into its author's own words and what was quoted, forwarded, signed or pasted as code.

A command counts only where a person gave it, and a quoted mail must not decide where a ticket goes. What divides a
message stands on lines of its own, in the words of the mail programs of several languages; kept libraries for this
(mail-parser-reply, quotequail) search whole texts with patterns that take more than linear time, and drop indents.
In doubt a line is quoted: a command that is not obeyed is answered, one that nobody gave is not noticed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from agent.text import mail_phrases as phrases
from agent.text.mailed import QUOTE_MARK, any_of, warned
from agent.text.pointing import says_nothing

Named = TypeVar("Named")

LONGEST_DIVIDER = 240
"""Characters; a longer line is prose."""

WRAPPED = 60
"""Characters; the line below a quoted one of this length may be its end, cut off by a mail program."""

LONGEST_SIGNATURE = 8
"""Lines that may follow a sign-off and still be a signature."""

LEAST_MESSAGE, FORMAL = 40, 200
"""Characters of a signature that even the shortest message may have, and that it may have below a formal sign-off."""

ROLE_WORD = r"(?:rol(?:es?)?|roll(?:e|en|es)|r(?:ô|o\u0302)les?)"
SLASH_ROLE = rf"[/\uff0f]{ROLE_WORD}"
"""Our command, and what people make of it whose word for a role is Rolle, rôle or rol, or who take it for a plural."""


class Origin(StrEnum):
    """Whose words a line holds."""

    OWN = "own"
    QUOTED = "quoted"
    CODE = "code"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a message, without its end."""

    text: str
    origin: Origin


_QUOTED = re.compile(QUOTE_MARK)
_MAYBE_QUOTED = re.compile(r"^ {0,3}(?:>|&gt;|\|(?= ))")
"""Rows of tables, too: what may be the end of one that was quoted is nobody's command."""
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_RULE = re.compile(r"^\s*[_\u2015\u2500]{4,}\s*$")
_ENDS_QUOTE = re.compile(r"^\s*\[/quote\]\s*$", re.I)
_BEGINS_QUOTE = re.compile(r"^\s*\[quote\b[^\]]{0,100}\]", re.I)
_SAYS = re.compile(rf"(?<!\w){any_of(phrases.SAYS)}(?!\w).{{0,120}}:\s*$", re.I)
_ASKS = re.compile(r"^[^>]{0,200}[^\W\d_]\?\s[^\d<@]{1,60}$")
_DATED = re.compile(rf"^\s*{any_of(phrases.BEGINS_ATTRIBUTION)}\b.*\d", re.I)
_FORWARDED = re.compile(any_of(phrases.FORWARDED), re.I)
_TITLE = re.compile(any_of((*phrases.FORWARDED, *phrases.ORIGINAL)), re.I)
_FRAMED = re.compile(r"^[\s*]*(?:[-=_#]{2,}.*|[^.!?]{0,80}:)[\s*]*$")
_HEADER = re.compile(rf"^[\s*_]*{any_of((*phrases.HEADERS, *phrases.SUBJECTS))}[\s*_]{{0,3}}[:\uff1a]", re.I)
_BYE = any_of(phrases.SIGN_OFFS)
_NAMED = r"(?:[\s,]{1,3}(?-i:[A-ZÀ-ÖØ-Þ])[\w.'-]{0,30}){1,3}"
_SIGN_OFF = re.compile(
    rf"^\W{{0,3}}{_BYE}(?:\s?(?:[/|,&+]|und|and)\s?{_BYE}){{0,2}}(?: aus [\w -]{{1,30}}|{_NAMED})?[\s,.!]*$", re.I
)
_FORMAL = re.compile(r"regards|gr(?:ü|ue)(?:ß|ss)|salut|saludos|groet|hälsning|hilsen|pozdrav|cordial", re.I)
_DISCLAIMER = re.compile(rf"^\W{{0,3}}{any_of(phrases.DISCLAIMERS)}(?!\w)", re.I)
_DELIMITER = re.compile(r"^(?:--\s?|\*-- ?\*\s?)$")
_DEVICE = re.compile(rf"^\W{{0,3}}{any_of(phrases.DEVICES)}(?!\w)", re.I)
_NAMES_DEVICE = rf"(?=.{{0,60}}$)(?:.*\W)?{any_of(phrases.DEVICE_NAMES)}(?!\w)"
_OUTLOOK = r"outlook für (?:ios|android)(?: ?<[^ >]{1,99}>)?(?: beziehen)?\W*$"
_SENT = re.compile(rf"^\W{{0,3}}(?:{any_of(phrases.SENT)}(?!\w){_NAMES_DEVICE}|{_OUTLOOK})", re.I)

HEADERS_NEEDED, HEADERS_WITHIN = 3, 6
"""So many header lines among so many lines are the head of a forwarded mail."""


def lines(text: str) -> tuple[Line, ...]:
    """Return the lines of a plain text (`agent.text.reading`), each with its origin, in their order."""
    return tuple(_warned(_signed(list(_quoted(text.split("\n"))))))


def own_words(text: str) -> str:
    """Return what the author wrote: the lines of their own, without outer blank lines."""
    return "\n".join(line.text for line in lines(text) if line.origin is Origin.OWN).strip("\n")


def _quoted(texts: Sequence[str]) -> Iterator[Line]:
    """Yield the lines, quotes and code told apart; a divider makes all below it quoted."""
    index, fence, quote = 0, "", False
    while index < len(texts):
        text = texts[index]
        if fence:
            yield Line(text, Origin.CODE)
            fence = "" if text.strip().startswith(fence) and not text.strip().strip(fence[0]) else fence
        elif quote or _BEGINS_QUOTE.match(text):
            yield Line(text, Origin.QUOTED)
            quote = not (_ENDS_QUOTE.match(text) or text.rstrip().lower().endswith("[/quote]"))
        elif begun := _FENCE.match(text):
            fence = begun[1]
            yield Line(text, Origin.CODE)
        elif length := announcement(texts, index):
            yield from (Line(each, Origin.QUOTED) for each in texts[index : index + length])
            index += length
            if not _marked_below(texts, index):
                yield from (Line(each, Origin.QUOTED) for each in texts[index:])
                return
            continue
        elif _QUOTED.match(text) or (index and _rest_of_quote(texts[index - 1], text)):
            yield Line(text, Origin.QUOTED)
        elif text.startswith(("    ", "\t")) and text.strip():
            yield Line(text, Origin.CODE)
        else:
            yield Line(text, Origin.OWN)
        index += 1


def announcement(texts: Sequence[str], index: int) -> int:
    """Return how many lines from `index` on announce somebody else's words; 0 where none does."""
    text = texts[index]
    if not text.strip() or len(text) > LONGEST_DIVIDER:
        return 0
    if _RULE.match(text) or (_TITLE.search(text) and _FRAMED.match(text)) or _announces(text):
        return 1
    if _HEADER.match(text):
        block = texts[index : index + HEADERS_WITHIN]
        return 1 if sum(bool(_HEADER.match(each)) for each in block) >= HEADERS_NEEDED else 0
    for more in (2, 3):  # "On Monday, 3 March 2025 at 10:12, Ann Other" / "<ann@example.org> wrote:"
        wrapped = texts[index : index + more]
        if len(wrapped) == more and _DATED.match(text) and wrapped[-1].strip() and _SAYS.search(" ".join(wrapped)):
            return more
    return 0


def _announces(text: str) -> bool:
    """Return whether a line names whose words follow; behind its author's question, without a date, not."""
    return _SAYS.search(text) is not None and _ASKS.match(text) is None


def is_head(text: str) -> bool:
    """Return whether a line may stand at the head of a forwarded mail."""
    return len(text) <= LONGEST_DIVIDER and _HEADER.match(text) is not None


def forwards(quoted: str) -> bool:
    """Return whether a quoted text begins with the title of a forwarded mail."""
    first = next((text for text in quoted.split("\n") if text.strip()), "")
    return _FORWARDED.search(first) is not None and _FRAMED.match(first) is not None


def _marked_below(texts: Sequence[str], index: int) -> bool:
    """Return whether the quote that was announced marks its lines by `>`, so that it ends where these end."""
    first = next((texts[i] for i in range(index, len(texts)) if texts[i].strip()), "")
    return _QUOTED.match(first) is not None


def _rest_of_quote(above: str, text: str) -> bool:
    """Return whether a line may be the end of the quoted line above it, cut off by a mail program."""
    whole = _MAYBE_QUOTED.match(above) is not None and len(above) >= WRAPPED
    return whole and bool(text.strip()) and not above.rstrip().endswith((".", "!", "?", ":"))


def _signed(found: list[Line]) -> list[Line]:
    """Return the lines with the signature told apart; it never holds a command, nor more than the message."""
    own = [i for i, line in enumerate(found) if line.origin is Origin.OWN and line.text.strip()]
    texts = [found[i].text for i in own]
    first = max((place + 1 for place, text in enumerate(texts) if text.lstrip().startswith("/")), default=0)
    begins = (place for place in range(first, len(texts)) if _begins_signature(texts, place))
    signed = set(own[next(begins, len(own)) :])
    return [Line(line.text, Origin.SIGNATURE) if i in signed else line for i, line in enumerate(found)]


def _begins_signature(texts: Sequence[str], place: int) -> bool:
    """Return whether a line begins the signature: by the delimiter of mails, or as a sign-off close to the end."""
    if _DELIMITER.match(texts[place]):
        return True
    below = len(texts) - place - 1
    if _DEVICE.match(texts[place]):
        return below <= min(place, 1)
    if not place:
        return False
    if _SENT.match(texts[place]):
        return below <= 1
    if _DISCLAIMER.match(texts[place]):
        return True
    if below > LONGEST_SIGNATURE:
        return False
    message, signature = (sum(map(len, part)) for part in (texts[:place], texts[place + 1 :]))
    least = FORMAL if _FORMAL.search(texts[place]) else LEAST_MESSAGE
    return _SIGN_OFF.match(texts[place]) is not None and signature <= max(message, least)


def _warned(found: list[Line]) -> list[Line]:
    """Return the lines with a mail gateway's warning at the top told apart, where anything else is said."""
    own = [i for i, line in enumerate(found) if line.origin is Origin.OWN and line.text.strip()]
    first = own[0] if own else 0
    end = first + warned([line.text if line.origin is Origin.OWN else "" for line in found[first : first + 8]])
    rest = "\n".join(found[i].text for i in own if i >= end)
    if end == first or (says_nothing(rest) and not any(line.origin is Origin.QUOTED for line in found)):
        return found
    return [Line(line.text, Origin.SIGNATURE) if first <= i < end else line for i, line in enumerate(found)]


_TYPED = dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u2032"), "'") | dict.fromkeys(
    map(ord, "\u2010\u2012\u2013\u2014\u2212"), "-"
)
"""What keyboards and word processors make of an apostrophe and a hyphen."""
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_ACCENTS = re.compile("[\u0300-\u036f]")


def spelling(word: str) -> str:
    """Return the form in which names of roles and groups are compared: folded, however each sign came to be.

    A letter may be one sign or a letter and its accent; i may have its dot or not, since Turkish capitals say which.
    """
    if word.isascii():
        return " ".join(word.casefold().split())
    seen = "".join(sign for sign in unicodedata.normalize("NFKC", word) if unicodedata.category(sign) != "Cf")
    return " ".join(seen.casefold().replace("i\u0307", "i").replace("\u0131", "i").translate(_TYPED).split())


def plain(spelt: str) -> str:
    """Return a name without accents, as capitals and foreign keyboards have it."""
    return spelt if spelt.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFD", spelt))


def without_accents(named: Mapping[str, Named]) -> dict[str, Named]:
    """Return, by names as they are written without accents, what one of these names alone leads to."""
    found: dict[str, list[Named]] = {}
    for word, one in named.items():
        for spelt in {plain(word), plain(word.translate(_SPELT_OUT))}:
            found.setdefault(spelt, []).append(one)
    return {spelt: several[0] for spelt, several in found.items() if all(one is several[0] for one in several)}
