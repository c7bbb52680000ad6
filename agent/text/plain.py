"""Turn what a ticketing system sends into plain text: one form of line ends, blanks and letters, no markup.

HTML is read by resiliparse, which keeps lines and takes linear time; the standard library's parser needs seconds for
200 kB of `<!--`. Quoted blocks of HTML become lines that begin with `> `, preformatted ones are indented, so that
`agent.text.own_words` knows both again.
"""

from __future__ import annotations

import re
import unicodedata
from html import unescape
from itertools import islice

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import DocumentNode, HTMLTree

CLEANER = "2"
"""Changes with every change of what `agent.text.reading` returns: vectors of texts are kept under it."""

QUOTE = "> "

MOST_BLOCKS = 50
"""Quoted blocks that are told apart in one text: the library takes quadratic time to list them."""

_BLOCKS = "!doctype html|html|head|body|div|p|br|hr|table|tr|ul|ol|li|blockquote|pre|h[1-6]|center|section|article"
_INLINE = "span|font|meta|style|title|a|b|i|u|s|em|strong|small|big|sub|sup|img|code|tt|td|th|thead|tbody|o:p"
_HTML = re.compile(rf"<(?:{_BLOCKS}|span|font|meta|style)(?:\s[^<>]{{0,2000}})?/?>", re.I)
_CLOSING = re.compile(r"</(?:html|body|div|p|span|table|ul|ol|blockquote|pre|font|b|i|a)>|<br ?/?>", re.I)
_CUT_OFF = r"\s+[\w:-]+=[^<>]{0,2000}$"
_TAG = re.compile(rf"</?(?:(?P<block>{_BLOCKS})|{_INLINE})(?:(?:\s[^<>]{{0,2000}})?/?>|{_CUT_OFF})", re.I)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.I)
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
    return normalised(from_html(raw) if is_html(raw) else without_tags(raw))


def normalised(text: str) -> str:
    """Return text with one form of line ends, blanks and letters, without signs that nobody sees."""
    lines = _BLANKS.sub(" ", _LINE_ENDS.sub("\n", text))
    return unicodedata.normalize("NFC", _CONTROL.sub("", _UNSEEN.sub("", lines)))


def one_line(text: str) -> str:
    """Return a name as it is compared and shown: on one line, with single blanks and none around it."""
    return " ".join(normalised(text).split())


def is_html(text: str) -> bool:
    """Return whether a text is a piece of HTML: it begins with a known tag, or holds one and the end of one."""
    if _HTML.match(text, len(text) - len(text.lstrip())):
        return True
    return _HTML.search(text) is not None and _CLOSING.search(text) is not None


def without_tags(text: str) -> str:
    """Return plain text without the tags that a person or a program left in it, its entities decoded."""
    bare = _TAG.sub(lambda found: "\n" if found["block"] else "", text) if "<" in text else text
    return _ENTITY.sub(lambda found: unescape(found[0]), bare) if "&" in bare else bare


def from_html(markup: str) -> str:
    """Return the text of a piece of HTML, with quoted blocks marked by `> ` and preformatted ones by four blanks.

    Where there are more blocks than are told apart, all of it counts as quoted: no person writes so.
    """
    tree = HTMLTree.parse(markup)
    if tree.document is None:
        return ""
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
    return "\n".join(prefix + line for line in text.split("\n"))
