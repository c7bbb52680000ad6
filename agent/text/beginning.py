"""How a ticket begins, for lists: its author's own words, where mails have heads and HTML has tags."""

from __future__ import annotations

import re

from agent.text.own_words import is_head, own_words
from agent.text.reading import attachments, plain_text, with_handed_on

LOOKED_AT = 1_000
"""Characters of a ticket that its beginning is looked for in."""

_FIELD = re.compile(r"^(?:\w[\w -]{0,40}: |[ \t]+\S)")


def beginning(subject: str, body: str, most: int) -> str:
    """Return at most so many characters of what a ticket's author wrote, on one line, without the heads of mails."""
    text = _without_head(plain_text(attachments(body[:LOOKED_AT])[0]))
    words = own_words(with_handed_on(subject, text))
    return " ".join((words if words.strip() else text).split())[:most]


def _without_head(text: str) -> str:
    """Return a mail as a program stored it, without the fields above it."""
    head, _, rest = text.lstrip("\n").partition("\n\n")
    fields = head.split("\n")
    told = len(fields) > 1 and all(map(_FIELD.match, fields)) and any(map(is_head, fields))
    return rest if told and rest.strip() else text
