"""What counts of a ticket's text, for rules, model and memory alike, in training as in serving: one function, `read`.

First, what a ticketing system sends becomes plain text (`plain_text`): one form of line ends, blanks and letters, no
markup. HTML is read by resiliparse, which keeps lines and takes linear time. Quoted blocks of it become lines that
begin with `> `, preformatted ones are indented, so that `agent.text.own_words` knows both again.

What somebody else wrote does not decide: a quoted mail, the signature. Yet the quoted part counts where its author
hands it on: the subject or the mail program says so, or their own words say nothing ("please see below") or end in a
colon ("the screen said:"). Of that, its author's own words count, without the lines that announce it. Code is the
author's own here: it often is the error message. So are the names of the files that came with a ticket.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import DocumentNode, HTMLTree

from agent.text import mail_phrases as phrases
from agent.text.mailed import (
    BLOCKS,
    any_of,
    as_mailed,
    blocks_marked,
    made_readable,
    unescaped,
    untagged_blocks,
    untagged_quotes,
    whole_quotes,
    without_ballast,
    without_hidden,
    without_tags,
)  # fmt: skip
from agent.text.own_words import LONGEST_DIVIDER, Line, Origin, announcement, forwards, is_head, lines
from agent.text.pointing import says_nothing

CLEANER = "8"
"""Changes with every change of what `agent.text.reading` returns: vectors of texts are kept under it."""

QUOTE = "> "

MOST_BLOCKS = 50
"""Quoted blocks that are told apart in one text: the library takes quadratic time to list them."""

HIDDEN = '[hidden],[style*="display:none" i],[style*="display: none" i],[style*="mso-hide:all" i]'
"""What no reader of a mail sees, such as the lines that a list of mails is to show."""

_HTML = re.compile(rf"<(?:{BLOCKS}|span|font|meta|style)(?:\s[^<>]{{0,2000}})?/?>", re.I)
_CLOSING = re.compile(r"</(?:html|body|div|p|span|table|ul|ol|blockquote|pre|font|b|i|a)>|<br ?/?>", re.I)
_LINE_ENDS = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_BLANKS = re.compile(r"[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_UNSEEN = re.compile(
    r"[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f]")


def plain_text(raw: str) -> str:
    """Return `raw` as plain text: HTML rendered, lines ended by line feeds, letters composed (NFC), nothing invisible.

    The joiners U+200C and U+200D stay: Persian and Indic words are spelt with them.
    """
    raw = made_readable(raw).replace("\r\n", "\n")
    raw = raw if "\n" in raw else raw.replace("\r", "\n")
    raw = raw if _begins_html(raw) else untagged_quotes(untagged_blocks(without_hidden(raw)))
    text = normalised(whole_quotes(from_html(raw) if is_html(raw) else without_tags(raw)))
    return blocks_marked(text)


def normalised(text: str) -> str:
    """Return text with one form of line ends, blanks and letters, without signs that nobody sees."""
    lines = _BLANKS.sub(" ", _LINE_ENDS.sub("\n", text))
    return unicodedata.normalize("NFC", _CONTROL.sub("", _UNSEEN.sub("", lines)))


def one_line(text: str) -> str:
    """Return a name as it is compared and shown: on one line, with single blanks and none around it."""
    return " ".join(normalised(text).split())


def is_html(text: str) -> bool:
    """Return whether a text is a piece of HTML: it begins with a known tag, or holds one and the end of one."""
    return _begins_html(text) or (_HTML.search(text) is not None and _CLOSING.search(text) is not None)


def _begins_html(text: str) -> bool:
    return _HTML.match(text, len(text) - len(text.lstrip())) is not None


def from_html(markup: str) -> str:
    """Return the text of a piece of HTML, with quoted blocks marked by `> ` and preformatted ones by four blanks.

    Where there are more blocks than are told apart, all of it counts as quoted: no person writes so.
    """
    tree = HTMLTree.parse(markup.encode("utf-8", "replace").decode())  # a lone surrogate is no letter
    if tree.document is None:
        return ""
    for unseen in list(islice(tree.document.query_selector_all(f":is({HIDDEN}):not(:is({HIDDEN}) *)"), MOST_BLOCKS)):
        unseen.decompose()
    found = [_mark(tree, tree.document, tag, prefix) for tag, prefix in (("pre", "    "), ("blockquote", QUOTE))]
    text = str(extract_plain_text(tree))
    return text if max(found) <= MOST_BLOCKS else _behind(QUOTE, text)


def _mark(tree: HTMLTree, document: DocumentNode, tag: str, prefix: str) -> int:
    """Put `prefix` before each line of the outermost elements of one kind; return how many there are, at most."""
    found = list(islice(document.query_selector_all(f"{tag}:not({tag} *)"), MOST_BLOCKS + 1))
    for element in found[:MOST_BLOCKS]:
        marked = tree.create_element("pre")
        if marked is not None and element.parent is not None:
            marked.text = "\n" + _behind(prefix, extract_plain_text(element.html))
            element.parent.replace_child(marked, element)
    return len(found)


def _behind(prefix: str, text: str) -> str:
    return "\n".join(prefix + line for line in _LINE_ENDS.sub("\n", text).split("\n"))


DEEPEST = 5
"""Mails that were handed on within each other; what lies deeper does not count."""

_FORWARDING = re.compile(rf"^\W{{0,3}}(?:\w{{1,5}}\s?[:：]\s*){{0,3}}(?:{'|'.join(phrases.FORWARDING)})\s?[:：]", re.I)
_SUBJECT = re.compile(rf"^[\s*_]*(?:{'|'.join(phrases.SUBJECTS)})[\s*_]{{0,3}}[:：][\s*_]*(.*)$", re.I)
_SHOWN = re.compile(rf"^[^\d@]*(?<!\w){any_of(phrases.SHOWS)}(?!\w)[^\d@]{{0,120}}:\s*$", re.I)
_RULE = re.compile(r"^\s*[_\u2015\u2500]{4,}\s*$")
_MARK = re.compile(r"^ {0,3}(?:>|&gt;|\|(?= )) ?")
_BETWEEN, _CAMEL = re.compile(r"[\s_.,;()\[\]{}+~-]+"), re.compile(r"(?<=[a-z])(?=[A-Z])")
_HASH = re.compile(r"(?=.*\d)[0-9a-f]{4,}$", re.I)
_ATTACHED = re.compile(r"(?:\A|\n\n)\[attached: ([^\n]*)\]\Z")
_EMPHASIS = re.compile(r"(?<![^\W_])_+(?=[^\W_])|(?<=[^\W_])_+(?![^\W_])")


@dataclass(frozen=True, slots=True)
class Reading:
    """What counts of a ticket, and what does not (`left_out`), for people who want to read it all the same."""

    subject: str
    body: str
    left_out: str = ""

    @property
    def text(self) -> str:
        """The text that models see: subject and body, without repeating the subject."""
        return joined(self.subject, self.body)

    @property
    def says_nothing(self) -> bool:
        """Whether there is hardly any text to judge by."""
        return says_nothing(self.text)


def read(subject: str, body: str) -> Reading:
    """Return what counts of a ticket; time is linear in its length."""
    body, names = attachments(body)
    title, text, files = plain_text(as_mailed(subject)), plain_text(unescaped(body)), _named(normalised(names))
    if text.strip():
        counting, left_out = _counting(text, forwarded=_FORWARDING.match(title) is not None)
        return Reading(_unstressed(title), f"{_unstressed(counting)}\n\n{files}".strip(), left_out)
    counting, left_out = _counting(title, forwarded=False)
    return Reading(_unstressed(counting), files, left_out)


def attachments(body: str) -> tuple[str, str]:
    """Return a ticket's body without the line that `connectors.deliveries.with_attachments` added, and its names."""
    found = _ATTACHED.search(body)
    return (body[: found.start()], found[1]) if found else (body, "")


def _named(names: str) -> str:
    """Return what names of files say: their words, without endings, dates and what programs call every file."""
    return "\n".join(filter(None, (" ".join(_words(name.rpartition(".")[0] or name)) for name in names.split(", "))))


def _words(stem: str) -> list[str]:
    words = [word for word in _BETWEEN.split(_CAMEL.sub(" ", stem)) if re.search(r"[^\W\d_]", word)]
    return [
        word for word in words if word.rstrip("0123456789").casefold() not in phrases.FILES and not _HASH.match(word)
    ]


def joined(subject: str, body: str) -> str:
    """Return subject and body as one text, without repeating the subject."""
    subject, body = subject.strip(), body.strip()
    if not body or body.startswith(subject):
        return body or subject
    return f"{subject}\n{body}" if subject else body


def _unstressed(text: str) -> str:
    """Return text without the underscores that stress words, what programs write into addresses, and outer blanks."""
    return _EMPHASIS.sub("", without_ballast(text)).strip()


def _counting(text: str, *, forwarded: bool, depth: int = 0) -> tuple[str, str]:
    """Return (what counts, what does not) of a plain text."""
    found = lines(_without_plain_rules(text))
    own, quoted = _of(found, Origin.OWN, Origin.CODE), _of(found, Origin.QUOTED)
    left_out = [_of(found, Origin.SIGNATURE)]
    if quoted.strip() and depth < DEEPEST and _handed_on(own, quoted, forwarded):
        head, message = _opened(quoted.split("\n"))
        counting, rest = _counting(message, forwarded=False, depth=depth + 1)
        own, left_out = f"{own}\n\n{counting}", [*left_out, head, rest]
    else:
        left_out.append(quoted)
    return own.strip("\n"), "\n\n".join(part for part in left_out if part.strip())


def with_handed_on(subject: str, text: str) -> str:
    """Return the lines of a plain text that are no signature, and below them those of the mail that it hands on."""
    found = lines(text)
    own, quoted = _of(found, Origin.OWN, Origin.CODE), _of(found, Origin.QUOTED)
    forwarded = _FORWARDING.match(plain_text(as_mailed(subject))) is not None
    handed_on = quoted.strip() and _handed_on(own, quoted, forwarded)
    return f"{own}\n\n{_opened(quoted.split(chr(10)), titled=False)[1]}" if handed_on else text


def _of(found: Sequence[Line], *origins: Origin) -> str:
    return "\n".join(line.text for line in found if line.origin in origins).strip("\n")


def _handed_on(own: str, quoted: str, forwarded: bool) -> bool:
    first = quoted.lstrip("\n").partition("\n")[0][:LONGEST_DIVIDER]
    shown = _SHOWN.match(first) is not None or own.rstrip().endswith((":", "：")) or says_nothing(own)
    return forwarded or forwards(quoted) or shown


def _opened(quoted: Sequence[str], *, titled: bool = True) -> tuple[str, str]:
    """Return the lines that announce a quoted message, and the message without marks, its subject above it."""
    texts = [_MARK.sub("", text, count=1) for text in quoted]
    index = 0
    while index < len(texts):
        length = announcement(texts, index) or (not texts[index].strip() or is_head(texts[index]))
        if not length:
            break
        index += length
    subjects = [found[1] for found in map(_SUBJECT.match, texts[:index]) if found]
    return "\n".join(texts[:index]), "\n".join([*(subjects if titled else ()), "", *texts[index:]])


def _without_plain_rules(text: str) -> str:
    """Return text without drawn lines that divide a form: one that divides mails has a head below."""
    texts = text.split("\n")
    heads = [any(map(is_head, texts[index + 1 : index + 3])) for index in range(len(texts))]
    return "\n".join("" if _RULE.match(each) and not head else each for each, head in zip(texts, heads, strict=True))
