"""What mail gateways, terminals and careless programs leave in a text, made readable: one function for each.

They run before HTML is looked for, on texts of strangers: each takes linear time, and gives back what it cannot read.
"""

from __future__ import annotations

import quopri
import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header

LONGEST_MAILED = 2_000
"""Characters of a subject in encoded words: what is longer would take long to read, and is nobody's subject."""

_TAG = re.compile(r"^\s*\[\s*(?:ext|extern(?:al|e|o)?|external (?:sender|e-?mail))\s*\]\s*:?\s*(?=\S)", re.I)
_COLOUR = re.compile(r"\x1b(?:\[[0-9;?]{0,20}[ -/]?[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\^_=>])")
_LETTER = re.compile(r"=[C-F][0-9A-F](?:=[89AB][0-9A-F])+")
_CUT_LINE = re.compile(r"=\r?\n")
_NBSP_TWICE = re.compile(r"&amp;(?=(?:nbsp|amp|quot|apos|lt|gt|#\d{1,5});)", re.I)
_FOLLOWING = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘•–—˜™š›œžŸ\u00a1-\u00ba\u00bc-\u00bf"
_BROKEN = re.compile(rf"\u00c2[{_FOLLOWING}\xa0\u00bb]|\u00c3[{_FOLLOWING}]|\u00e2[€‚„†][{_FOLLOWING}\x80-\x9f’“”]")
"""UTF-8 that was read as Windows-1252. What French capitals stand before, such as a closing mark, is left out."""


def as_mailed(subject: str) -> str:
    """Return a subject as mail programs show it; some systems file it as mail carries it (encoded words, RFC 2047).

    The tag that a gateway puts before mails from elsewhere, such as [EXTERNAL], is none of it.
    """
    if "=?" in subject and len(subject) <= LONGEST_MAILED:
        try:
            subject = str(make_header(decode_header(subject))) or subject
        except (HeaderParseError, LookupError, ValueError):
            return subject
    return _TAG.sub("", subject)


def made_readable(raw: str) -> str:
    """Return a text without colours of terminals, from quoted-printable (RFC 2045), and in its own code page."""
    text = _COLOUR.sub("", raw) if "\x1b" in raw else raw
    text = _NBSP_TWICE.sub("&", text) if "&amp;" in text else text
    return _in_its_code_page(_unquoted(text))


def _unquoted(text: str) -> str:
    if "=" not in text or not text.isascii() or not (_LETTER.search(text) or _cut_off(text)):
        return text
    try:
        return quopri.decodestring(text.encode()).decode()
    except UnicodeDecodeError:
        return text


def _cut_off(text: str) -> bool:
    """Return whether lines are cut as quoted-printable cuts them, and an equals sign is written as it writes it."""
    return _CUT_LINE.search(text) is not None and ("=3D" in text or "=20" in text)


def _in_its_code_page(text: str) -> str:
    return text if text.isascii() else _BROKEN.sub(_letter, text)


def _letter(found: re.Match[str]) -> str:
    try:
        return b"".join(_byte(sign) for sign in found[0]).decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return found[0]


def _byte(sign: str) -> bytes:
    return sign.encode("latin-1") if "\x80" <= sign <= "\x9f" else sign.encode("cp1252")
