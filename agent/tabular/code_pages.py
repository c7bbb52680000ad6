"""Guess the code page of text that is not UTF-8: in the right one, its letters are those of one language.

charset-normalizer, judged on one to twenty lines in fifteen code pages, was right on two thirds: it looks for text
that is not mangled, and takes cp850, MacRoman or Korean for a few accents in otherwise plain ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SCRAMBLED = re.compile(r"[ÂÃ][\x80-\xbf€-™]|â[€-™]")
"""What the two or three bytes of a letter in UTF-8 look like in Windows-1252."""

ALWAYS = frozenset("\xa0€‚„…‘’“”•–—™°±·«»§©®")
"""Signs that typists of any language use."""


def _letters(first: str, last: str) -> str:
    return "".join(map(chr, range(ord(first), ord(last) + 1)))


def _level_one(codec: str, first: int, last: int) -> str:
    """Return the common characters of an East Asian code page: its standard puts them into the first rows."""
    pairs = (bytes([lead, trail]) for lead in range(first, last + 1) for trail in range(0x40, 0xFF))
    return "".join(pair.decode(codec, "ignore") for pair in pairs)


_CYRILLIC = "оеаинтсрвлкмдпуязьі"
_ASIAN_SIGNS = "、。，．：；？！（）「」・ー～"

_LANGUAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cp1252", ("äöüßÄÖÜ", "éèàçêëâîïôûùœæÉÈÀÇÊÂÎÔ", "áéíóúñü¿¡ÁÉÍÓÚÑ", "àèéìòùÀÈÉÌÒÙ")),
    ("cp1252", ("áâãàçéêíóôõúüÁÂÃÀÇÉÊÍÓÔÕÚ", "åäöæøéÅÄÖÆØ", "éëïóöüè", "ðþæöáéíóúýÐÞÆÖÁÉÍÓÚÝ")),
    ("cp1250", ("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ", "áčďéěíňóřšťúůýžÁČĎÉĚÍŇÓŘŠŤÚŮÝŽ", "áäčďéíĺľňóôŕšťúýžÁČĎÉÍĽŇÓŠŤÚÝŽ")),
    ("cp1250", ("áéíóöőúüűÁÉÍÓÖŐÚÜŰ", "ăâîşţĂÂÎŞŢ", "čćžšđČĆŽŠĐ")),
    ("cp1254", ("çğıöşüâîûÇĞİÖŞÜ",)),
    ("cp1257", ("ąčęėįšųūžĄČĘĖĮŠŲŪŽ", "āčēģīķļņšūžĀČĒĢĪĶĻŅŠŪŽ", "äöõüšžÄÖÕÜŠŽ")),
    ("cp1251", (_CYRILLIC, _CYRILLIC.upper())),
    ("koi8_r", (_CYRILLIC,)),
    ("cp1253", ("αειοτνσςρκπηάέίόύήώ", "ΑΕΙΟΤΝΣΡΚΠΗ")),
    ("cp1255", ("אביהולמרתנש",)),
    ("cp1256", ("ايلمنترهوبعسدةفأ",)),
    ("cp932", (_letters("ぁ", "ん") + _letters("ァ", "ヶ") + _level_one("cp932", 0x88, 0x97) + _ASIAN_SIGNS,)),
    ("cp949", (_level_one("euc_kr", 0xB0, 0xC8) + _ASIAN_SIGNS,)),
    ("gb18030", (_level_one("gb2312", 0xB0, 0xD7) + _ASIAN_SIGNS,)),
    ("big5", (_level_one("big5", 0xA4, 0xC6) + _ASIAN_SIGNS,)),
    ("cp850", ("äöüßÄÖÜ", "éèàçêëâîïôûùÉÈÀÇÊ", "áéíóúñü¿¡ÁÉÍÓÚÑ", "åäöæøéÅÄÖÆØ")),
    ("mac_roman", ("äöüßÄÖÜ", "éèàçêëâîïôûùœÉÈÀÇÊ", "áéíóúñü¿¡ÁÉÍÓÚÑ", "åäöæøéÅÄÖÆØ")),
)
"""Each code page with letters beyond ASCII of languages written in it, in order of how common the page is.

Of alphabets that are beyond ASCII as a whole, only the common letters: any byte is some letter there.
"""

_ASIAN = frozenset({"cp932", "cp949", "gb18030", "big5"})
_RUN = re.compile(r"[^\x00-\x7f]+")


def guess_code_page(sample: bytes) -> str:
    """Return the code page in which most of the sample's letters are those of one language; Latin-1 if none fits."""
    best, most = "latin_1", 0.0
    for page, languages in _LANGUAGES:
        try:
            runs = _RUN.findall(sample.decode(page))
        except UnicodeDecodeError:
            continue
        share = max(_share(runs, frozenset(letters), alone=page not in _ASIAN) for letters in languages)
        if share > most + 0.01:
            best, most = page, share
    return best


def _share(runs: Sequence[str], letters: frozenset[str], *, alone: bool) -> float:
    """Return the share of signs that are such letters. An East Asian one does not stand `alone` among ASCII."""
    fitting = sum(sum(sign in letters or sign in ALWAYS for sign in run) for run in runs if alone or len(run) > 1)
    return fitting / (sum(map(len, runs)) or 1)


def unscrambled(word: str) -> str | None:
    """Return what a word was whose UTF-8 somebody read as Windows-1252; None for a word that is as it was written."""
    if not _SCRAMBLED.search(word):
        return None
    try:
        return word.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return None
