"""What counts of a ticket's text, for rules, model and memory alike, in training as in serving: one function, `read`.

What somebody else wrote does not decide: a quoted mail, the signature. Yet a mail may hold nothing else. So the quoted
part counts, too, where the author hands it on: the subject or the mail program says that it was forwarded, or the
author's own words say nothing ("please see below") or end in a colon. Of what was handed on, the same counts: its
author's own words, without the lines that announce it. Code is the author's own here: it often is the error message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.text import mail_phrases as phrases
from agent.text.own_words import Line, Origin, announcement, forwards, is_head, lines
from agent.text.plain import plain_text
from agent.text.pointing import says_nothing

DEEPEST = 5
"""Mails that were handed on within each other; what lies deeper does not count."""

_FORWARDING = re.compile(rf"^\W{{0,3}}(?:\w{{1,5}}\s?[:：]\s*){{0,3}}(?:{'|'.join(phrases.FORWARDING)})\s?[:：]", re.I)
_SUBJECT = re.compile(rf"^[\s*_]*(?:{'|'.join(phrases.SUBJECTS)})[\s*_]{{0,3}}[:：][\s*_]*(.*)$", re.I)
_RULE = re.compile(r"^\s*[_\u2015\u2500]{4,}\s*$")
_MARK = re.compile(r"^ {0,3}(?:>|&gt;|\|(?= )) ?")
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
    title, text = plain_text(subject), plain_text(body)
    if text.strip():
        counting, left_out = _counting(text, forwarded=_FORWARDING.match(title) is not None)
        return Reading(_unstressed(title), _unstressed(counting), left_out)
    counting, left_out = _counting(title, forwarded=False)
    return Reading(_unstressed(counting), "", left_out)


def joined(subject: str, body: str) -> str:
    """Return subject and body as one text, without repeating the subject."""
    subject, body = subject.strip(), body.strip()
    if not body or body.startswith(subject):
        return body or subject
    return f"{subject}\n{body}" if subject else body


def _unstressed(text: str) -> str:
    """Return text without the underscores that stress words, and outer blank lines."""
    return _EMPHASIS.sub("", text).strip()


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


def _of(found: Sequence[Line], *origins: Origin) -> str:
    return "\n".join(line.text for line in found if line.origin in origins).strip("\n")


def _handed_on(own: str, quoted: str, forwarded: bool) -> bool:
    return forwarded or forwards(quoted) or own.rstrip().endswith((":", "：")) or says_nothing(own)


def _opened(quoted: Sequence[str]) -> tuple[str, str]:
    """Return the lines that announce a quoted message, and the message without marks, its subject above it."""
    texts = [_MARK.sub("", text, count=1) for text in quoted]
    index = 0
    while index < len(texts):
        length = announcement(texts, index) or (not texts[index].strip() or is_head(texts[index]))
        if not length:
            break
        index += length
    subjects = [found[1] for found in map(_SUBJECT.match, texts[:index]) if found]
    return "\n".join(texts[:index]), "\n".join([*subjects, "", *texts[index:]])


def _without_plain_rules(text: str) -> str:
    """Return text without drawn lines that divide a form: one that divides mails has a head below."""
    texts = text.split("\n")
    heads = [any(map(is_head, texts[index + 1 : index + 3])) for index in range(len(texts))]
    return "\n".join("" if _RULE.match(each) and not head else each for each, head in zip(texts, heads, strict=True))
