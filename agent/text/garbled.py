"""Letters that programs garbled on the way of a text, made what they were: one function for each way.

As all that makes a text readable, they run on texts of strangers, take linear time, and give back what they cannot
read. None makes a line feed or a sign of markup, so that what was quoted stays quoted.
"""

from __future__ import annotations

import quopri
import re
from base64 import b64decode
from itertools import takewhile

_LETTER = re.compile(r"=[C-F][0-9A-F](?:=[89AB][0-9A-F])+")
_CUT_LINE = re.compile(r"^[^\n]{60,}=\r?$", re.M)
_AT_END = re.compile(r"=20\r?$", re.M)
_ALL_CODED = re.compile(r"[^=]*(?:=(?:[0-9A-F]{2}|\r?\n|$)[^=]*)*", re.I)
_LINE_END, _MARKUP = re.compile(r"(?:=0[AD])+", re.I), re.compile(r"=(?=3[CE]|26)", re.I)
_FOLLOWING = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘•–—˜™š›œžŸ\u00a1-\u00ba\u00bc-\u00bf"
_BROKEN = re.compile(
    rf"\u00c2[{_FOLLOWING}\xa0\u00bb]|\u00c3[{_FOLLOWING}\x80-\x9f]|\u00e2[€‚„†][{_FOLLOWING}\x80-\x9f’“”]"
    r"|(?<=[a-zß-ÿ])\u00c3[\xa0\xbb]|(?<!\w)\u00c3\xa0"
)
"""UTF-8 that was read as Windows-1252 or Latin-1. à and û look like what French capitals stand before, a blank or a
closing mark: they are taken for what they were where no capital stands, behind a small letter or before no letter."""
_BLANK_LOST = re.compile(r"(?<![A-ZÀ-ÖØ-Þ])\u00c3(?: (?= )|(?=[ ,.]|$))", re.M)
"""An à whose second half, a no-break space, became a blank or was dropped; where other letters are broken, too."""


_SIGNS = {
    code: bytes([code]).decode("cp1252")
    for code in (*b"\x80\x82\x83\x84", *range(0x86, 0x8D), 0x8E, *range(0x91, 0x9D), 0x9E, 0x9F)
}
"""What Windows-1252 has where Latin-1 has controls: dashes and quotation marks, mostly (not 0x85, which ends lines)."""
_AS_BYTES = {ord(sign): code for code, sign in _SIGNS.items()} | {ord("…"): 0x85}
_JIS = re.compile(r"\x1b\$[@B][^\x1b\n]{1,2000}\x1b\([BJ]")


_BASE64 = re.compile(r"\s*(?:[A-Za-z0-9+/]{20,100}\s?\n)*[A-Za-z0-9+/]{4,100}={0,2}\s*")
_PARTS = re.compile(
    r"\s*(?:This is a multi-?part message in MIME format\.?\s{1,9})?--[\w'()+,./:=?-]{5,70}\s?\nContent-",
    re.I,
)
_TEXT = re.compile(r"\btext/(plain|html)\b", re.I)
_CHARSET = re.compile(r"\bcharset=\"?([\w.:-]{1,40})", re.I)
_ENCODED = re.compile(r"transfer-encoding:\s*(quoted-printable|base64)", re.I)
LONGEST_HEAD = 20
"""Lines of the head of a part."""
LEAST_PACKED = 40
"""Characters of base64; a shorter one may be a word."""


def from_jis(text: str) -> str:
    """Return a text whose Japanese stands there as mails carry it (ISO-2022-JP, RFC 1468)."""
    return _JIS.sub(_japanese, text)


def _japanese(found: re.Match[str]) -> str:
    try:
        return found[0].encode("ascii").decode("iso2022_jp")
    except UnicodeError:
        return found[0]


def recoded(text: str) -> str:
    """Return a text from quoted-printable (RFC 2045), and in its own code page."""
    return _in_its_code_page(_unquoted(text))


def unpacked(text: str) -> str:
    """Return a text that is base64 as a whole, or the parts of a mail (RFC 2046), as mail programs show it.

    It is for tickets alone, not for replies: what a person may have quoted stays as it is there.
    """
    if _PARTS.match(text):
        return _shown_part(text) or text
    if len(text) < LEAST_PACKED or not _BASE64.fullmatch(text):
        return text
    try:
        found = b64decode("".join(text.split()), validate=True).decode()
    except ValueError:
        return text
    return found if " " in found and all(sign.isprintable() or sign.isspace() for sign in found) else text


def _shown_part(text: str) -> str:
    """Return the plain text among the parts, or else the HTML; "" where neither is there or can be read."""
    rows, at, found = text.split("\n"), 0, ""
    while at + 1 < len(rows):
        begins = rows[at].startswith("--") and rows[at + 1].lower().startswith("content-")
        head = list(takewhile(str.strip, rows[at + 1 : at + 1 + LONGEST_HEAD])) if begins else []
        kind = _TEXT.search(" ".join(head)[:1_000])
        at += 1 + len(head)
        if kind is not None:
            mark = rows[at - 1 - len(head)].strip()
            end = next((i for i in range(at, len(rows)) if rows[i].startswith(mark)), len(rows))
            shown, at = _decoded("\n".join(rows[at:end]), " ".join(head)[:1_000]), end
            if kind[1].lower() == "plain" and shown:
                return shown
            found = found or shown
    return found


def _decoded(body: str, head: str) -> str:
    charset, how = _CHARSET.search(head), _ENCODED.search(head)
    try:
        if how is None:
            return body
        raw = quopri.decodestring(body.encode()) if how[1].lower() == "quoted-printable" else b64decode(body)
        return raw.decode(charset[1] if charset else "utf-8")
    except (LookupError, ValueError):
        return ""


def _unquoted(text: str) -> str:
    if "=" not in text or not text.isascii() or not (_LETTER.search(text) or _cut_off(text)):
        return text
    # programs code neither line ends nor <, > and &: whoever does wants a command to stand outside of a quote
    coded = _MARKUP.sub("=3D", _LINE_END.sub("=20", text))
    try:
        return quopri.decodestring(coded.encode()).decode()
    except UnicodeDecodeError:
        return text


def _cut_off(text: str) -> bool:
    """Return whether lines are cut as quoted-printable cuts them, and an equals sign is written as it writes it."""
    coded = "=3D" in text or _AT_END.search(text) is not None
    return coded and _CUT_LINE.search(text) is not None and _ALL_CODED.fullmatch(text) is not None


def _in_its_code_page(text: str) -> str:
    if text.isascii():
        return text
    if (whole := _reread(text)) != text:
        return whole
    mended = _BROKEN.sub(_letter, text)
    mended = _BLANK_LOST.sub("à", mended) if mended != text else mended
    return mended.translate(_SIGNS)


def _reread(text: str) -> str:
    """Return a text that was read in another code page as a whole; none that was not is valid UTF-8 by chance."""
    for codec, told in (("latin-1", text), ("latin-1", text.translate(_AS_BYTES)), ("cp1251", text)):
        try:
            return told.encode(codec).decode()
        except UnicodeError:
            continue
    return text


def _letter(found: re.Match[str]) -> str:
    try:
        return b"".join(_byte(sign) for sign in found[0]).decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return found[0]


def _byte(sign: str) -> bytes:
    return sign.encode("latin-1") if "\x80" <= sign <= "\x9f" else sign.encode("cp1252")
