"""What mail gateways, terminals, forms and careless programs leave in a text, made readable: one function for each.

They run before HTML is looked for, on texts of strangers: each takes linear time, and gives back what it cannot read.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Sequence
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from html import unescape
from urllib.parse import unquote

from agent.text import mail_phrases as phrases

LONGEST_MAILED = 2_000
"""Characters of a subject in encoded words: what is longer would take long to read, and is nobody's subject."""

LONGEST_WARNING = 400
"""Characters; a longer line holds the message, too."""

WRAPPED = 60
"""Characters; a line of this length may go on in the next one."""

QUOTE_MARK = r"^ {0,3}(?:>|&gt;|\|(?= )(?![^\n]*\|[ \t]*$))"
"""A line between two strokes is a row of a table, and no quoted one."""


def any_of(phrases: Sequence[str]) -> str:
    """Return a pattern for any of these texts, the longest first."""
    return "(?:" + "|".join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True)) + ")"


_EXTERNAL = re.compile(r"^\s*\[\s*(?:ext|extern(?:al|e|o)?|external (?:sender|e-?mail))\s*\]\s*:?\s*(?=\S)", re.I)
_COLOUR = re.compile(r"\x1b(?:\[[0-9;?]{0,20}[ -/]?[@-~]|\][^\x07\x1b\n<>]{0,200}(?:\x07|\x1b\\)|[@-Z\\^_=>])")
_LETTER = re.compile(r"=[C-F][0-9A-F](?:=[89AB][0-9A-F])+")
_CUT_LINE = re.compile(r"^[^\n]{60,}=\r?$", re.M)
_AT_END = re.compile(r"=20\r?$", re.M)
_ALL_CODED = re.compile(r"[^=]*(?:=(?:[0-9A-F]{2}|\r?\n|$)[^=]*)*", re.I)
_LINE_END, _MARKUP = re.compile(r"(?:=0[AD])+", re.I), re.compile(r"=(?=3[CE]|26)", re.I)
_NBSP_TWICE = re.compile(r"&amp;(?=(?:nbsp|amp|quot|apos|lt|gt|#\d{1,5});)", re.I)
_FOLLOWING = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘•–—˜™š›œžŸ\u00a1-\u00ba\u00bc-\u00bf"
_BROKEN = re.compile(
    rf"\u00c2[{_FOLLOWING}\xa0\u00bb]|\u00c3[{_FOLLOWING}\x80-\x9f]|\u00e2[€‚„†][{_FOLLOWING}\x80-\x9f’“”]"
    r"|(?<=[a-zß-ÿ])\u00c3[\xa0\xbb]|(?<!\w)\u00c3\xa0"
)
"""UTF-8 that was read as Windows-1252 or Latin-1. à and û look like what French capitals stand before, a blank or a
closing mark: they are taken for what they were where no capital stands, behind a small letter or before no letter."""
_BLANK_LOST = re.compile(r"(?<![A-ZÀ-ÖØ-Þ])\u00c3(?: (?= )|(?=[ ,.]|$))", re.M)
"""An à whose second half, a no-break space, became a blank or was dropped; where other letters are broken, too."""

_DATA = re.compile(r"\bdata:[\w.+-]{1,60}/[\w.+-]{1,60};base64,[\w+/=%-]*", re.A)
_CONDITION = re.compile(r"<!--\[if[^\]<>\n]{0,60}\]&gt;|<!\[endif\](?:--)?&gt;")
"""Outlook's comments after a program has coded their closing sign: such a comment would have no end."""
_PROPERTY = (
    r"(?:(?:font|mso|border|padding|margin|background)-[a-z-]{1,40}:|(?:margin|padding|line-height|vertical-align"
    r"|panose-1|text-(?:align|decoration|indent))\s?:|behavior:\s?url|size:\s?[\d.]+(?:pt|cm|mm|in|px)|page:\s?\w+;"
    r"|color:\s?#)"
)
_SELECTOR = r"[\w.#@*\\](?:[\w.#@*\\-]|[ :](?! )){0,100}+"
_STYLE = rf"{_SELECTOR}(?:,\s?{_SELECTOR}){{0,20}}+\s{{0,9}}+\{{\s{{0,9}}+{_PROPERTY}[^{{}}]{{0,600}}+\}}"
_STYLES = re.compile(rf"^(?:/\*[^*\n]{{0,80}}\*/\s{{0,3}})?{_STYLE}(?:[ \t]*{_STYLE}){{0,20}}[ \t]*(?:\n|\Z)", re.M)
"""Rules of CSS as lines of a text: what careless programs leave of the style of a mail. JSON begins otherwise."""
_HEED = re.compile(rf"{QUOTE_MARK}|^ {{0,3}}(?:```|~~~)|\[/?quote\b|\{{(?:quote|code|noformat)", re.I | re.M)
_REWRITTEN = re.compile(
    r"https://[\w.-]{1,60}\.safelinks\.protection\.outlook\.com/\?url=(?P<outlook>[^&\s<>]{1,400})[^\s<>]*"
    r"|https://urldefense\.com/v3/__(?P<proofpoint>[^\s<>]{1,400}?)__;[^\s<>]*"
)
_QUERY = re.compile(r"(https?://[^\s?#<>\"]{1,200})[?#][^\s<>\"]{30,}")
_BESIDE = re.compile(r"<(?:mailto|tel):[^<>\s]{1,200}>|\[cid:[^\]\s]{1,200}\]", re.I)
_JIRA = {
    "> ": re.compile(r"\{quote\}", re.I),
    "    ": re.compile(r"\{(?:code|noformat)(?::[^{}\n]{0,80})?\}", re.I),
}
"""Jira's marks around a block, by what others put before its lines."""

BLOCKS = "!doctype html|html|head|body|div|p|br|hr|table|tr|ul|ol|li|blockquote|pre|h[1-6]|center|section|article"
_INLINE = "span|font|meta|style|title|a|b|i|u|s|em|strong|small|big|sub|sup|img|code|tt|td|th|thead|tbody|o:p"
_CUT_OFF = r"\s+[\w:-]+=[^<>]{0,2000}$"
_TAG = re.compile(rf"</?(?:(?P<block>{BLOCKS})|{_INLINE})(?:(?:\s[^<>]{{0,2000}})?/?>|{_CUT_OFF})", re.I)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.I)
_MARKED = re.compile(QUOTE_MARK)
_QUOTED_LINE = re.compile(rf"{QUOTE_MARK}.*", re.M)
_OPENED = re.compile(r"<(?=[/a-z])", re.I)
_WITHIN_LINE = re.compile(r"[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""What ends lines besides the line feed; a mail program that quotes marks only those that a line feed ends."""

_LABEL = re.compile(rf"^\W{{0,3}}{any_of(phrases.LABELS)}\W{{0,6}}", re.I)
_WARNING = re.compile(rf"^\W{{0,3}}{any_of(phrases.WARNINGS)}", re.I)
_WARNED = re.compile(rf"^\W{{0,3}}{any_of(phrases.WARNED)}(?!\w)", re.I)
_ASKS = re.compile(r"\?\s*$|(?<!\w)(?:I|[Ii]ch|[Mm](?:y|e|ir|ich|eine?[nmr]?|on|ijn)|[Jj]e)(?!\w)")
"""A question, or somebody who speaks of themselves: no gateway does."""


def as_mailed(subject: str) -> str:
    """Return a subject as mail programs show it; some systems file it as mail carries it (encoded words, RFC 2047).

    The tag that a gateway puts before mails from elsewhere, such as [EXTERNAL], is none of it.
    """
    if "=?" in subject and len(subject) <= LONGEST_MAILED:
        try:
            subject = str(make_header(decode_header(subject))) or subject
        except (HeaderParseError, LookupError, ValueError):
            return subject
    return _EXTERNAL.sub("", subject)


def made_readable(raw: str) -> str:
    """Return a text without colours of terminals, from quoted-printable (RFC 2045), and in its own code page.

    Pictures within a text, as base64, are none of it.
    """
    text = _COLOUR.sub("", raw) if "\x1b" in raw else raw
    text = _NBSP_TWICE.sub("&", text) if "&amp;" in text else text
    text = _DATA.sub("", text) if ";base64," in text else text
    text = _CONDITION.sub("", text) if "]&gt;" in text else text
    return _in_its_code_page(_unquoted(text))


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
    mended = _BROKEN.sub(_letter, text)
    return _BLANK_LOST.sub("à", mended) if mended != text else mended


def _letter(found: re.Match[str]) -> str:
    try:
        return b"".join(_byte(sign) for sign in found[0]).decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return found[0]


def _byte(sign: str) -> bytes:
    return sign.encode("latin-1") if "\x80" <= sign <= "\x9f" else sign.encode("cp1252")


def untagged_quotes(text: str) -> str:
    """Return a text whose quoted lines hold no tags and no coded line ends: what stood below them would be no quote."""
    return _QUOTED_LINE.sub(lambda line: _untagged(line[0]), text)


def _untagged(line: str) -> str:
    bare = _ENTITY.sub(lambda found: " " if unescape(found[0]) == "\n" else found[0], line) if "&" in line else line
    bare = _TAG.sub(lambda found: " " if found["block"] else "", bare) if "<" in bare else bare
    closed = 0 if _TAG.search(bare) else bare.rfind(">") + 1  # without one tag, what was around it may be another
    return bare[:closed] + _OPENED.sub(" ", bare[closed:])  # a tag that would end at the mark of the next line


def whole_quotes(text: str) -> str:
    """Return a text whose quoted lines end where line feeds end them, as programs that quote see it."""
    return _QUOTED_LINE.sub(lambda line: _WITHIN_LINE.sub(" ", line[0]), text)


def without_tags(text: str) -> str:
    """Return plain text without the tags that a person or a program left in it, its entities decoded."""
    bare = _TAG.sub(lambda found: "\n" if found["block"] else "", text) if "<" in text else text
    return _ENTITY.sub(lambda found: unescape(found[0]), bare) if "&" in bare else bare


def without_ballast(text: str) -> str:
    """Return plain text whose addresses are those that people meant, without what programs write into and beside them.

    Mail gateways replace addresses by theirs; queries that track people, and what belongs to a picture, are no words.
    """
    if "://" in text:
        text = _REWRITTEN.sub(lambda found: unquote(found["outlook"] or found["proofpoint"]), text)
        text = _QUERY.sub(r"\1", text)
    return _BESIDE.sub("", text) if ":" in text else text


def without_hidden(text: str) -> str:
    """Return plain text without comments of HTML, as templates of Markdown systems hold them: nobody reads them.

    A comment that what is quoted begins or ends in stays: without it, one could not tell what was quoted.
    """
    kept, at = [], 0
    while (begun := text.find("<!--", at)) >= 0 and (end := text.find("-->", begun + 4)) >= 0:
        hidden = text[begun : end + 3]
        kept.append(text[at:begun] + (hidden if _HEED.search(hidden) else ""))
        at = end + 3
    return "".join([*kept, text[at:]])


def untagged_blocks(text: str) -> str:
    """Return a text whose blocks of Jira's markup hold no tags and no line ends in disguise, as quoted lines do not."""
    texts = text.split("\n")
    for mark in _JIRA.values():
        for index in _block(texts, mark):
            if not _MARKED.match(texts[index]):
                texts[index] = _WITHIN_LINE.sub(" ", _untagged(texts[index]))
    return "\n".join(texts)


def blocks_marked(text: str) -> str:
    """Return plain text with blocks of Jira's markup marked as others do, by `> ` or blanks; without rules of CSS."""
    texts = text.split("\n")
    for prefix, mark in _JIRA.items():
        block = _block(texts, mark)
        for index in block:
            if (index > block[0] or mark.match(texts[index].lstrip())) and not _MARKED.match(texts[index]):
                texts[index] = prefix + mark.sub("", texts[index]).strip()
    return _STYLES.sub("", "\n".join(texts)) if "{" in text else text


def _block(texts: Sequence[str], mark: re.Pattern[str]) -> range:
    """Return the lines from the first mark to the last: who is quoted may write such marks, too, and end nothing."""
    marks = [len(mark.findall(each)) for each in texts] if "{" in "".join(texts) else []
    there = [index for index, count in enumerate(marks) if count]
    return range(there[0], there[-1] + 1) if sum(marks) > 1 else range(0)


def warned(texts: Sequence[str]) -> int:
    """Return how many of the first lines of a mail are a warning that a gateway put there."""
    said = [text.replace("\u2019", "'") for text in texts]
    below = (n for n in range(1, len(said)) if said[n].strip())
    at = next(below, 0) if said and not _LABEL.sub("", said[0]) else 0
    if not said or len(said[at]) > LONGEST_WARNING or not _WARNING.match(_LABEL.sub("", said[at])):
        return 0
    end = at + 1
    while end < len(said) and _goes_on(said[end - 1], said[end]):
        end += 1
    return 0 if any(map(_ASKS.search, said[at:end])) else end


def _goes_on(above: str, text: str) -> bool:
    wrapped = len(above) >= WRAPPED and not above.rstrip().endswith((".", "!", "?", ":"))
    own = not text.strip() or text.lstrip().startswith("/") or len(text) > LONGEST_WARNING
    return not own and (wrapped or _WARNED.match(text) is not None)
