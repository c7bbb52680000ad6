"""Figures that were dear to make, shown until they are made again: a large desk's later than a small one's."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from agent.pages.site import Site

T = TypeVar("T")

TIMES = 100.0
"""Figures are made again after so many times as long as making them took: a small desk's at once."""


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """What was made, and until when by a steady clock it is shown."""

    made: T
    until: float


async def kept(site: Site, name: str, make: Callable[[], Awaitable[T]]) -> T:
    """Return what is known by this name, or make it. The name says of whose tickets it is."""
    began = time.monotonic()
    for past in [key for key, one in site.kept.items() if isinstance(one, Kept) and one.until <= began]:
        del site.kept[past]  # or a walk through all weeks would be kept for ever
    known: Kept[T] | None = site.kept.get(name)
    if known is not None:
        return known.made
    made = await make()
    ended = time.monotonic()
    site.kept[name] = Kept(made, ended + TIMES * (ended - began))
    return made
