"""What a request's head says about its body, before any of it is read."""

from __future__ import annotations

from starlette.datastructures import Headers


def declared_too_large(headers: Headers, most: int) -> bool:
    """Return whether the body is declared to be larger than `most` bytes, or its length is no number.

    The length may have more digits than Python converts, and zeros before them.
    """
    length = headers.get("content-length", "0")
    digits = length.lstrip("0")
    return not (length.isascii() and length.isdigit()) or len(digits) > len(str(most)) or int(digits or "0") > most
