"""Feedback: recorded and taken back by the functions of the pages, with the same line in the log."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import msgspec
from fastapi import Query
from starlette.requests import Request

from agent.model_api.web import bodies
from agent.pages.feedback import chosen, give, known, take_back
from agent.pages.guard import Refused, Visit
from agent.programs.access import Caller
from agent.programs.answers import WholeTicket
from agent.programs.shown import hidden, whole

Seen = Annotated[int, msgspec.Meta(ge=0, le=2**62)]


class Feedback(msgspec.Struct, forbid_unknown_fields=True):
    """What is said of a ticket's role: `roles`, or that the suggestion is right, or that it is none of ours.

    `seen` is that of the ticket: where somebody else has answered since, nothing is recorded.
    """

    roles: Annotated[list[Annotated[str, msgspec.Meta(max_length=200)]], msgspec.Meta(max_length=10)] = []
    right: bool = False
    none_of_ours: bool = False
    seen: Seen = 0


async def record(visit: Caller, request: Request) -> WholeTicket:
    """Record which roles are right, and return the ticket. Saying the same again changes nothing."""
    given = await bodies.read(request, Feedback)
    standing = await known(visit)
    if [bool(given.roles), given.right, given.none_of_ours].count(True) != 1:
        raise Refused(400, "one_answer")
    if given.right and hidden(visit, standing):
        raise Refused(409, "random_check")
    form: dict[str, list[str]] = {"seen": [str(given.seen)]}
    form |= {"right": ["1"]} if given.right else {"none": ["1"]} if given.none_of_ours else {}
    visit = replace(visit, form=form | {"several": ["1"], "roles": given.roles})
    await give(visit, standing, chosen(visit, standing))
    return await _now(visit)


async def take_away(visit: Caller, seen: Annotated[int, Query(ge=0, le=2**62)] = 0) -> WholeTicket:
    """Take the last answer to a ticket back: one's own, an operator anybody's. Return the ticket."""
    visit = replace(visit, form={"seen": [str(seen)]})
    await take_back(visit, await known(visit))
    return await _now(visit)


async def _now(visit: Visit) -> WholeTicket:
    return whole(visit, await known(visit))
