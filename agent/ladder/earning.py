"""When a stage is offered to a role, what it still lacks, and when it is lowered by itself. Pure.

offered(Stage.COMMENT, Shown(checks=Share(35, 35)), LadderSettings())      # Stage.ASSIGN
fallen(Stage.ASSIGN, Shown(acts=Share(4, 7)), LadderSettings())            # Fall(Why.PEOPLE, Share(4, 7))

A stage is offered when the lower end of the 95 % interval (Wilson) over the role's latest 200 clear suggestions that
were checked at random reaches its bar. Its role is lowered by one stage, without a person, when either

- that lower end is more than 0.05 below the bar, of 30 checks at least: between the two nothing changes, so that one
  wrong suggestion more or less moves no role to and fro; or
- people took back so much of the latest 50 tickets on which Rolecall acted since the stage was taken, three at least,
  that even the upper end of the interval over what stayed is below the bar. Nobody looks at all of these, so what
  stayed says at most how often it was right: below the bar, it is surely below.

After that only random checks that are answered later earn a stage.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.config.checks import LadderSettings
from agent.report.week import Share
from agent.store.stages import Stage, Why
from heuristics.wilson import wilson_interval

WINDOW = 200
"""Random checks of a role that count: the latest."""

ACTS = 50
"""Tickets on which Rolecall acted that count: the latest."""

MARGIN = 0.05
FEWEST_CHECKS = 30
FEWEST_BACK = 3

NOTHING = Share()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a role has shown.

    `checks`: of its latest clear suggestions that were checked at random, how many were right; `earned` are those since
    it was last lowered by itself. `acts`: of the latest tickets that Rolecall changed for it in this stage, how many
    stayed so. `a_day`: how many clear suggestions it gets a day, lately.
    """

    checks: Share = NOTHING
    earned: Share = NOTHING
    acts: Share = NOTHING
    a_day: float = 0.0


@dataclass(frozen=True, slots=True)
class Fall:
    """Why a role is lowered by itself, and the evidence."""

    why: Why
    evidence: Share


def bar(stage: Stage, settings: LadderSettings) -> float:
    """Return what the lower end of the interval has to reach for a stage; 0 for those that need no evidence."""
    return {Stage.TAG: settings.tag_at, Stage.ASSIGN: settings.assign_at}.get(stage, 0.0)


def reached(stage: Stage, shown: Shown, settings: LadderSettings) -> bool:
    """Return whether a role has earned a stage."""
    return stage <= Stage.COMMENT or shown.earned.interval[0] >= bar(stage, settings)


def offered(now: Stage, shown: Shown, settings: LadderSettings) -> Stage | None:
    """Return the highest stage that a role has earned and does not have, None where there is none."""
    earned = max(stage for stage in Stage if reached(stage, shown, settings))
    return earned if earned > now else None


def lacking(checks: Share, least: float) -> int | None:
    """Return how many more checks it takes until the lower end reaches `least`; None where it does not come to that.

    The further ones are taken to be as right as those so far; before there are enough of these to say, all right.
    """
    share = checks.share if checks.enough else 1.0
    for more in range(WINDOW - checks.count + 1):
        if wilson_interval(checks.right + share * more, checks.count + more)[0] >= least:
            return more
    return None


def days(checks: int, a_day: float, share: float) -> float | None:
    """Return how long so many checks take where this share of tickets is drawn; None where none come."""
    return checks / (a_day * share) if a_day * share > 0 else None


def fallen(now: Stage, shown: Shown, settings: LadderSettings) -> Fall | None:
    """Return why a role has to leave its stage, None where it may stay."""
    if now <= Stage.COMMENT:
        return None
    least = bar(now, settings)
    if shown.checks.count >= FEWEST_CHECKS and shown.checks.interval[0] < least - MARGIN:
        return Fall(Why.CHECKS, shown.checks)
    back = shown.acts.count - shown.acts.right
    if back >= FEWEST_BACK and shown.acts.interval[1] < least:
        return Fall(Why.PEOPLE, shown.acts)
    return None
