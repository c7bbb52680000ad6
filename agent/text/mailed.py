"""What mail gateways, terminals, forms and careless programs leave in a text, made readable: one function for each.

They run before HTML is looked for, on texts of strangers: each takes linear time, and gives back what it cannot read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from html import unescape
from urllib.parse import unquote

from agent.text import mail_phrases as phrases
from agent.text.garbled import from_jis, recoded, unpacked

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
_NBSP_TWICE = re.compile(r"&amp;(?=(?:nbsp|amp|quot|apos|lt|gt|#\d{1,5});)", re.I)
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
_HEED = re.compile(
    rf"{QUOTE_MARK}|^ {{0,3}}(?:```|~~~)|\[/?(?:quote|code)\b|\{{(?:quote|code|noformat|\{{)|^b[qc]\.", re.I | re.M
)
_REWRITTEN = re.compile(
    r"https://[\w.-]{1,60}\.safelinks\.protection\.outlook\.com/\?url=(?P<outlook>[^&\s<>]{1,400})[^\s<>]*"
    r"|https://urldefense\.com/v3/__(?P<proofpoint>[^\s<>]{1,400}?)__;[^\s<>]*"
)
_QUERY = re.compile(r"(https?://[^\s?#<>\"]{1,200})[?#][^\s<>\"]{30,}")
_BROWSER = re.compile(r"\bMozilla/\d\.\d \([^)\n]{1,200}\)(?: [\w.]{1,40}/[\w.]{1,40}| \([^)\n]{1,100}\)){0,12}")
_SIGNED = re.compile(r"^-----BEGIN PGP SIGNED MESSAGE-----\n(?:Hash:[^\n]{0,100}\n)?", re.M)
_PATH = re.compile(r"(?<![A-Za-z])[A-Za-z]:\\")
_ESCAPED_END = re.compile(r"\\r\\n|(?<=[\s.!?:;,)])\\n|\\n(?=[A-ZÀ-Þ\\])")
_ESCAPED_LETTER = re.compile(r"\\u(0[01][0-9a-f]{2}|0[34][0-9a-f]{2})(?<!\\u00[0-9][0-9a-f])", re.I)
_BESIDE = re.compile(r"<(?:mailto|tel):[^<>\s]{1,200}>|\[cid:[^\]\s]{1,200}\]", re.I)
_CODE = r"\{(?:code|noformat)(?::[^{}\n]{0,80})?\}|\[/?code(?:[ =][^\]\n]{0,80})?\]|^\s*(?:\{\{\{(?:#!\S+)?|\}\}\})\s*$"
_FRAMED = {"> ": re.compile(r"\{quote\}|\[/?quote(?:[ =][^\]\n]{0,100})?\]", re.I), "    ": re.compile(_CODE, re.I)}
"""The marks of Jira, forums and Trac around a block, by what others put before its lines."""
_EXTENDED = re.compile(r"^(?:bq|bc|pre)(?:\([^)\n]{0,80}\))?\.\.(?::\S{1,400})?(?:\s|$)")
"""Textile's quotes and code of several paragraphs: all below, for who is quoted may write what would end them."""

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
    text = _COLOUR.sub("", from_jis(raw)) if "\x1b" in raw else raw
    text = _NBSP_TWICE.sub("&", text) if "&amp;" in text else text
    text = _DATA.sub("", text) if ";base64," in text else text
    text = _CONDITION.sub("", text) if "]&gt;" in text else text
    text = text.replace("<![CDATA[", " ").replace("]]>", " ") if "<![CDATA[" in text else text
    return recoded(text)


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
    text = _armour_removed(_BROWSER.sub("", text) if "Mozilla/" in text else text)
    return _BESIDE.sub("", text) if ":" in text else text


def _armour_removed(text: str) -> str:
    """Return text without blocks of keys, signatures and encrypted mail (RFC 4880, RFC 7468)."""
    kept, at = [], 0
    text = _SIGNED.sub("", text) if "-----BEGIN" in text else text
    while (begun := text.find("-----BEGIN ", at)) >= 0 and (end := text.find("\n-----END ", begun)) >= 0:
        kept.append(text[at:begun])
        line_end = text.find("\n", end + 1)
        at = line_end + 1 if line_end >= 0 else len(text)
    return "".join([*kept, text[at:]])


def unescaped(text: str) -> str:
    r"""Return a ticket's text unpacked; of one line, with ends and letters that programs write as `\n`, `\u00e4`."""
    text = unpacked(text)
    if "\\" not in text or "\n" in text or _PATH.search(text):
        return text
    return _ESCAPED_LETTER.sub(lambda found: chr(int(found[1], 16)), _ESCAPED_END.sub("\n", text))


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
    """Return a text whose framed blocks hold no tags and no line ends in disguise, as quoted lines do not."""
    texts = text.split("\n")
    for mark in _FRAMED.values():
        for index in _block(texts, mark):
            if not _MARKED.match(texts[index]):
                texts[index] = _WITHIN_LINE.sub(" ", _untagged(texts[index]))
    for index in _extended(texts):
        texts[index] = _WITHIN_LINE.sub(" ", _untagged(texts[index]))
    return "\n".join(texts)


def blocks_marked(text: str) -> str:
    """Return plain text with framed blocks marked as others do, by `> ` or blanks; without rules of CSS."""
    texts = text.split("\n")
    for prefix, mark in _FRAMED.items():
        block = _block(texts, mark)
        for index in block:
            if (index > block[0] or mark.match(texts[index].lstrip())) and not _MARKED.match(texts[index]):
                texts[index] = prefix + mark.sub("", texts[index]).strip()
    for index in _extended(texts):
        texts[index] = f"> {texts[index]}"
    return _STYLES.sub("", "\n".join(texts)) if "{" in text else "\n".join(texts)


def _block(texts: Sequence[str], mark: re.Pattern[str]) -> range:
    """Return the lines from the first mark to the last: who is quoted may write such marks, too, and end nothing."""
    marks = [len(mark.findall(each)) if "{" in each or "[" in each or "}" in each else 0 for each in texts]
    there = [index for index, count in enumerate(marks) if count]
    return range(there[0], there[-1] + 1) if sum(marks) > 1 else range(0)


def _extended(texts: Sequence[str]) -> range:
    """Return the lines from Textile's first mark of several quoted paragraphs on."""
    return range(next((index for index, each in enumerate(texts) if _EXTENDED.match(each)), len(texts)), len(texts))


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
