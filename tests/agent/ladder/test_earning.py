"""When a stage is offered, what it lacks, and when a role is lowered by itself."""

from __future__ import annotations

import pytest

from agent.config.checks import LadderSettings
from agent.ladder.earning import Fall, Shown, days, fallen, lacking, offered
from agent.report.week import Share
from agent.store.stages import Stage, Why

BARS = LadderSettings()


@pytest.mark.parametrize(
    ("now", "right", "count", "expected"),
    [
        (Stage.COMMENT, 34, 34, Stage.TAG),
        (Stage.COMMENT, 35, 35, Stage.ASSIGN),
        (Stage.COMMENT, 21, 21, None),
        (Stage.COMMENT, 22, 22, Stage.TAG),
        (Stage.TAG, 188, 200, None),
        (Stage.TAG, 189, 200, Stage.ASSIGN),
        (Stage.ASSIGN, 200, 200, None),
        (Stage.SHADOW, 0, 0, Stage.COMMENT),
        (Stage.COMMENT, 0, 0, None),
    ],
)
def test_a_stage_is_offered_when_the_lower_end_reaches_its_bar(
    now: Stage, right: int, count: int, expected: Stage | None
) -> None:
    assert offered(now, Shown(Share(right, count), Share(right, count)), BARS) == expected


def test_after_a_fall_only_later_checks_earn_a_stage() -> None:
    assert offered(Stage.TAG, Shown(Share(200, 200), Share(34, 34)), BARS) is None
    assert offered(Stage.TAG, Shown(Share(200, 200), Share(35, 35)), BARS) is Stage.ASSIGN


@pytest.mark.parametrize(
    ("right", "count", "more"),
    [(0, 0, 35), (30, 30, 5), (35, 35, 0), (19, 19, 16), (48, 50, 47), (45, 50, None), (150, 200, None)],
)
def test_what_a_stage_lacks(right: int, count: int, more: int | None) -> None:
    assert lacking(Share(right, count), 0.9) == more


def test_how_long_checks_take_at_a_share_of_tickets() -> None:
    assert days(35, a_day=20, share=0.05) == 35
    assert days(35, a_day=20, share=0) is days(35, a_day=0, share=0.05) is None


@pytest.mark.parametrize(
    ("now", "checks", "acts", "expected"),
    [
        (Stage.ASSIGN, Share(183, 200), Share(), None),  # the lower end is 0.868: below the bar, within the margin
        (Stage.ASSIGN, Share(178, 200), Share(), Why.CHECKS),
        (Stage.TAG, Share(178, 200), Share(), None),
        (Stage.TAG, Share(169, 200), Share(), Why.CHECKS),
        (Stage.ASSIGN, Share(10, 29), Share(), None),  # too few to say
        (Stage.ASSIGN, Share(200, 200), Share(0, 2), None),
        (Stage.ASSIGN, Share(200, 200), Share(7, 10), Why.PEOPLE),
        (Stage.ASSIGN, Share(200, 200), Share(8, 11), None),
        (Stage.ASSIGN, Share(200, 200), Share(40, 50), Why.PEOPLE),
        (Stage.ASSIGN, Share(200, 200), Share(41, 50), None),
        (Stage.TAG, Share(200, 200), Share(5, 8), None),
        (Stage.TAG, Share(200, 200), Share(4, 7), Why.PEOPLE),
        (Stage.COMMENT, Share(0, 200), Share(0, 50), None),
    ],
)
def test_a_role_is_lowered_when_live_evidence_turns(
    now: Stage, checks: Share, acts: Share, expected: Why | None
) -> None:
    fall = fallen(now, Shown(checks, checks, acts), BARS)
    assert fall == (expected and Fall(expected, checks if expected is Why.CHECKS else acts))


def test_no_evidence_moves_a_role_to_and_fro() -> None:
    """Whatever was enough to be offered a stage is enough to stay, and with one wrong answer more, too."""
    for count in (20, 21, 22, 23, 29, 30, 34, 35, 36, 60, 120, 199, 200):
        for right in range(count + 1):
            shown = Shown(Share(right, count), Share(right, count))
            for stage in (Stage.TAG, Stage.ASSIGN):
                if (found := offered(Stage(stage - 1), shown, BARS)) is not None and found >= stage:
                    worse = Shown(Share(right, count + 1), Share(right, count + 1))
                    assert fallen(stage, shown, BARS) is fallen(stage, worse, BARS) is None
