"""Find out how a file's text is encoded: by its byte order mark, by what its bytes allow, else by its letters."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from agent.errors import BadInput
from agent.tabular.code_pages import guess_code_page

BLOCK = 1 << 20
"""Bytes read at a time."""

SAMPLE = 1 << 16
"""Bytes beyond ASCII text that a code page is guessed from."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_IN_WORDS = {"utf-8-sig": "UTF-8", "cp932": "Windows-932 (Shift-JIS)", "cp949": "Windows-949", "big5": "Big5"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec, and the number of characters that are broken even so: they are read as U+FFFD."""

    codec: str
    broken: int = 0

    def __str__(self) -> str:
        """Return it in words."""
        name = _IN_WORDS.get(self.codec) or self.codec.upper().replace("CP", "Windows-", 1).replace("_", "-")
        if not self.broken:
            return name
        return (
            f"{name}, with {self.broken} broken character{'s' * (self.broken > 1)}, read as \N{REPLACEMENT CHARACTER}"
        )


def encoding_of(file: Path, told: str | None = None) -> Encoding:
    """Return the encoding of a file's text; `told` is what the operator named. Raises BadInput."""
    if told is not None:
        try:
            codec = codecs.lookup(told).name
            "".encode(codec)
        except LookupError:
            raise BadInput(f"there is no encoding {told!r}; common ones are utf-8, utf-16, cp1252 and cp1251") from None
        codec = "utf-8-sig" if codec == "utf-8" else codec
        return Encoding(codec, _decoded(file, codec)[0])
    start = next(_blocks(file), b"")
    for mark, codec in _MARKS:
        if start.startswith(mark):
            return Encoding(codec, _decoded(file, codec)[0])
    if (wide := _wide(start[:4096])) is not None:
        return Encoding(wide, _decoded(file, wide)[0])
    broken, sound = _decoded(file, "utf-8-sig")
    if broken <= sound // 2:  # letters of a code page are hardly ever sound UTF-8
        return Encoding("utf-8-sig", broken)
    codec = guess_code_page(b"".join(islice(_beyond_ascii(file), SAMPLE // 256)))
    return Encoding(codec, _decoded(file, codec)[0])


def _wide(start: bytes) -> str | None:
    """Return the kind of UTF-16 without a mark: of text in any language, the separators have a zero byte."""
    zeros = [start[0::2].count(0), start[1::2].count(0)]
    if max(zeros) < 2 or max(zeros) < 4 * min(zeros) or max(zeros) * 20 < len(start):
        return None
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(BLOCK):
            yield block


def _decoded(file: Path, codec: str) -> tuple[int, int]:
    """Return how many characters beyond ASCII of the whole file are broken, and how many are sound."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    broken = sound = 0
    for block in _blocks(file):
        text = decoder.decode(block)
        if not text.isascii():
            broken += (bad := text.count("\ufffd"))
            sound += len(text) - len(text.encode("ascii", "ignore")) - bad
    return broken + decoder.decode(b"", final=True).count("\ufffd"), sound


def _beyond_ascii(file: Path) -> Iterator[bytes]:
    """Yield the lines that hold more than ASCII, at most 256 bytes of each."""
    with file.open("rb") as opened:
        while line := opened.readline(BLOCK):
            if not line.isascii():
                start = next(index for index, byte in enumerate(line) if byte > 0x7F)
                yield line[max(0, start - 64) :].rstrip()[:256]
