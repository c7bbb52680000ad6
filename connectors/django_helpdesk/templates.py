"""Prepare the text of a comment for the helpdesk, which renders it as a Django template."""

from __future__ import annotations

import re

WORD_JOINER = "\u2060"

# The helpdesk looks for `#(\d+)` when a comment is posted and writes a follow-up on every ticket named (its
# update_ticket.py). An invisible joiner keeps the reference readable and breaks the pattern.
_REFERENCE = re.compile(r"#(?=\d)")

# A posted comment is rendered as a Django template. Its lexer knows {{ {% {#, and %} is replaced before rendering;
# what is itself the output of a variable is never read again. The words stand in for {% and %} during that replacement;
# a brace before one of them would open the variable that stands for its X.
_WORD = r"-HELPDESK-COMMENT-(?:END)?VERBATIM"
_TEMPLATE = re.compile(rf"\{{(?=[{{%#]|X{_WORD})|%\}}|X(?={_WORD})")
_LITERALS = {"{": '{{ "{" }}', "%}": '%{{ "}" }}', "X": '{{ "X" }}'}


def storable(text: str) -> str:
    """Return the text without what the server refuses or drops: NUL, lone surrogates, outer blanks."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()


def defuse(text: str) -> str:
    """Return the text to be stored: storable characters only, no ticket references."""
    return _REFERENCE.sub(f"#{WORD_JOINER}", storable(text))


def escape_template(text: str) -> str:
    """Return a template that renders to exactly `text`. For posting only: an edit is stored without rendering."""
    return _TEMPLATE.sub(lambda match: _LITERALS[match.group()], text)
