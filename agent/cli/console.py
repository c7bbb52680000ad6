"""The way to the terminal: text of strangers does nothing there, and long work says how long it will take.

Escape sequences (ECMA-48: OSC writes the clipboard or a title, CSI moves the cursor) need a control character, and a
line that runs backwards needs a bidirectional one (CVE-2021-42574). Rich itself removes only a few.

Long work says beforehand how long it will take, says in a file how far it is, and remembers how long it took.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import rich.console
from rich.console import ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment

if TYPE_CHECKING:
    from agent.store.database import Database
    from agent.store.run_times import Work

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


def say(line: str) -> None:
    """Print one line as it is, whatever markup or ends of lines its values hold."""
    Console(highlight=False, soft_wrap=True).print(escape(" ".join(line.splitlines())))


WORTH_SAYING = 5.0  # seconds
MINUTE, HOUR = 60.0, 3600.0


@dataclass(slots=True)
class Heartbeat:
    """Says once a minute that work goes on, where no bar can move: in a file, a log, a pipe."""

    console: Console
    what: str
    expected: float = 0.0
    step: str = ""
    """How far the work is, in words."""

    def beat(self, over: Callable[[float], bool]) -> None:
        """Print a line a minute until it is `over`, which waits as long as it is told."""
        minutes = 0
        while not over(MINUTE):
            minutes += 1
            of = f" of about {in_words(self.expected)}" if self.expected >= MINUTE * minutes else ""
            step = f": {self.step}" if self.step else ""
            self.console.print(f"{self.what}, {in_words(MINUTE * minutes)}{of}{step}", markup=False)


@contextmanager
def foretold(console: Console, database: Database, work: Work, amount: int, what: str) -> Iterator[Heartbeat]:
    """Announce how long the work in the block will take, and store how long it took, unless it failed.

    Where the console is no terminal, a line a minute says that it goes on; the block may say how far it is.
    """
    from agent.store import run_times

    expected = database.call(run_times.expected, work, amount)
    heart, over = Heartbeat(console, what, expected.seconds), threading.Event()
    if expected.seconds >= WORTH_SAYING:
        basis = "as earlier ones did" if expected.runs else "a first guess"
        console.print(f"{what}: about {in_words(expected.seconds)} ({basis})")
    if not console.is_terminal:
        threading.Thread(target=heart.beat, args=(over.wait,), daemon=True).start()
    began = time.monotonic()
    try:
        yield heart
    finally:
        over.set()
    database.call(run_times.keep, work, amount, time.monotonic() - began)


def in_words(seconds: float) -> str:
    """Return a duration as people say it: "10 seconds", "2 minutes", "1.5 hours"."""
    if seconds < MINUTE:
        return f"{max(5, 5 * round(seconds / 5))} seconds"
    if seconds < HOUR:
        minutes = round(seconds / MINUTE)
        return f"{minutes} minute{'s' * (minutes > 1)}"
    hours = round(2 * seconds / HOUR) / 2
    return f"{hours:g} hour{'s' * (hours > 1)}"
