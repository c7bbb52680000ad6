"""Mask personal data before a text leaves for a language model, and put it back into what comes home.

Patterns alone: addresses, telephone numbers, accounts and cards with a right check digit, secrets behind their names.
What solves tickets stays: IP addresses, dates, part numbers, error codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,4})?\b")
_CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
_PHONE = re.compile(r"(?<![\w.])(?:\+\d{1,3}|\(?0\d{1,4}\)?)(?:[ /().-]{0,2}\d){6,11}(?![\w.])")
_SECRET = re.compile(
    r"(?P<name>\b(?:password|passwort|kennwort|passcode|pin|token|api[ _-]?key|secret|mot de passe|contraseña)\b"
    r"(?:\s+(?:is|ist|lautet|est|es))?\s*[:=]?\s*)(?P<value>[^\s,;]*\d[^\s,;]*)",
    re.I,
)


@dataclass
class Masker:
    """The masks of one conversation: the same words always get the same mask."""

    _masks: dict[str, str] = field(default_factory=dict)

    def mask(self, text: str) -> str:
        """Return a text with a mask in place of each piece of personal data."""
        text = _SECRET.sub(lambda found: found["name"] + self._of("SECRET", found["value"]), text)
        text = _MAIL.sub(lambda found: self._of("MAIL", found[0]), text)
        text = _IBAN.sub(self._checked("ACCOUNT", _is_iban), text)
        text = _CARD.sub(self._checked("CARD", _is_card), text)
        return _PHONE.sub(lambda found: self._of("PHONE", found[0]), text)

    def unmask(self, text: str) -> str:
        """Return a text with what the masks stand for."""
        for words, mask in self._masks.items():
            text = text.replace(mask, words)
        return text

    def _of(self, kind: str, words: str) -> str:
        if words not in self._masks:
            self._masks[words] = f"[{kind}_{len(self._masks) + 1}]"
        return self._masks[words]

    def _checked(self, kind: str, valid: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
        return lambda found: self._of(kind, found[0]) if valid(found[0]) else found[0]


def _is_iban(words: str) -> bool:
    """Return whether the check digits are right (ISO 13616: the number modulo 97 is 1)."""
    signs = words.replace(" ", "")
    return int("".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])) % 97 == 1


def _is_card(words: str) -> bool:
    """Return whether the last digit is right (Luhn, ISO/IEC 7812-1)."""
    digits = [int(sign) for sign in reversed(words) if sign.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) if place % 2 else digit for place, digit in enumerate(digits))
    return sum(doubled) % 10 == 0
