"""The hour's comments are used up: what is caught up on waits until there is room."""

from __future__ import annotations

from agent.notes.speak import TooEarly
from agent.store import comments
from agent.store.database import Database

LOOK_AGAIN_SECONDS = 60.0
"""How long a comment that is caught up on waits before it looks again whether the hour's budget has room."""


class BudgetSpent(TooEarly):
    """The hour's comments are used up, and this one is caught up on later."""

    def __init__(self) -> None:
        super().__init__("the hour's comments are used up", LOOK_AGAIN_SECONDS)


async def await_budget(database: Database) -> None:
    """Raise BudgetSpent, unless a pause holds comments back: the next `resume` leaves an event for each of them."""
    if await database.read(comments.paused) is None:
        raise BudgetSpent
