"""The way to the terminal: text of strangers is shown there, and does nothing.

Escape sequences (ECMA-48: OSC writes the clipboard or a title, CSI moves the cursor) need a control character, and a
line that runs backwards needs a bidirectional one (CVE-2021-42574). Rich itself removes only a few.
"""

from __future__ import annotations

from collections.abc import Iterable

import rich.console
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment

_KEPT = "\n\t"
_TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_UNSAFE = "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0x2028, 0x2029)))
"""Control characters, ends of lines, and halves of surrogate pairs, which no terminal takes."""

_SHOWN_AS = str.maketrans(dict.fromkeys(set(_UNSAFE + _TURNING) - set(_KEPT), "\N{REPLACEMENT CHARACTER}"))


def harmless(text: str) -> str:
    """Return the text with U+FFFD for each character that could do something to a terminal."""
    return text.translate(_SHOWN_AS)


class Console(rich.console.Console):
    """Rich's console, which colours and lays out as ever; the texts in between are made harmless."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of whatever is printed; those with Rich's own control codes as they are."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(harmless(segment.text), segment.style)
