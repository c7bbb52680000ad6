"""What an account may do."""

from __future__ import annotations

from enum import StrEnum


class Rights(StrEnum):
    """What an account may do; each may what those before it may."""

    VIEWER = "viewer"
    """Reads."""
    REVIEWER = "reviewer"
    """Says what is right."""
    OPERATOR = "operator"
    """Runs the installation."""


def may(rights: str, needed: Rights) -> bool:
    """Return whether these rights are enough."""
    return rights in tuple(Rights) and tuple(Rights).index(Rights(rights)) >= tuple(Rights).index(needed)
