"""Roles move by a person, by policy and by themselves; each move is kept with who, when and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, col, select
from typer.testing import CliRunner

from agent.cli import app
from agent.config.checks import LadderSettings
from agent.core import Parts
from agent.domain import Role, RoleCatalogue, Strength, Via
from agent.errors import BadInput
from agent.ladder import evidence
from agent.ladder.moving import Ladder, NotEarned, begin, lower, settle, take
from agent.ladder.rehearsal import rehearse
from agent.ladder.standing import places
from agent.report.week import Share
from agent.store.actions import Acted, Action, GroupMove
from agent.store.database import Database
from agent.store.people import Audit
from agent.store.stages import Stage, StageMove
from agent.store.tables import Decision, Review, Ticket
from agent.work.schedule import settle_ladder
from connectors.base import Field

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
NETWORK = Role("Network", aliases=("LAN",), groups={"desk": ("net", "lan")})
CATALOGUE = RoleCatalogue([NETWORK, Role("Access", groups={"desk": ("acc",)})])
LADDER = Ladder(CATALOGUE, LadderSettings())
NOW = AT + timedelta(days=10)


def add_tickets(session: Session, count: int, first: int = 1, *, wrong: int = 0, at: datetime = AT) -> None:
    """Store tickets with a clear suggestion of Network, each checked at random; the first few were wrong."""
    for number in range(first, first + count):
        key, when = f"desk:{number}", at + timedelta(minutes=number)
        session.add(Ticket(key=key, subject="vpn", body="", group="intake", filed_at=when, drawn=True))
        suggestion = {"outcome": "clear", "roles": ["LAN"], "confidence": 0.95, "reason": "", "detail": {}}
        session.add(Decision(ticket_key=key, at=when, rules_version="1", **suggestion))
        say(session, key, "Access" if number < first + wrong else "Network", when + timedelta(hours=1), Via.CHECK)


def say(session: Session, key: str, role: str, at: datetime, via: Via = Via.COMMAND) -> None:
    strength = Strength.CONFIRMED if role == "Network" else Strength.CORRECTED
    if via is Via.MOVE:
        strength = Strength.MOVED
    session.add(Review(ticket_key=key, roles=[role], strength=strength, via=via, origin=f"{via}{at}", at=at))


def act_on(session: Session, numbers: Sequence[int], at: datetime) -> None:
    for number in numbers:
        done = {"before": "intake", "at": at, "attempted_at": at, "settled_at": at, "outcome": Acted.DONE}
        session.add(Action(ticket_key=f"desk:{number}", field="group", value="net", role="Network", **done))


def nobody_said(session: Session, numbers: Sequence[int]) -> None:
    for review in session.exec(select(Review).where(col(Review.ticket_key).in_([f"desk:{n}" for n in numbers]))):
        session.delete(review)


def stage(session: Session, role: str = "Network") -> Stage:
    return LADDER.stages(session).of(role)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    database = Database.open_file(tmp_path / "rolecall.db")
    with Session(database.engine) as session:
        yield session
    database.close()


def test_a_role_takes_what_it_has_earned_and_nothing_else(session: Session) -> None:
    add_tickets(session, 34)
    assert stage(session) is Stage.COMMENT
    with pytest.raises(NotEarned, match=r"34 of 34 .* 90% is asked for \(\[ladder\] assign_at\); 1 more right checks"):
        take(session, LADDER, "lan", Stage.ASSIGN, "kim", NOW)
    take(session, LADDER, "lan", Stage.TAG, "kim", NOW)
    with pytest.raises(BadInput, match="is at tag"):
        take(session, LADDER, "Network", Stage.TAG, "kim", NOW)
    with pytest.raises(BadInput, match="rolecall roles"):
        take(session, LADDER, "Netwrok", Stage.TAG, "kim", NOW)
    assert (stage(session), stage(session, "Access")) == (Stage.TAG, Stage.COMMENT)
    row = session.exec(select(StageMove)).one()
    assert (row.role, row.before, row.stage, row.who, row.why, row.right, row.count) == (
        *("Network", "comment", "tag", "kim", "taken", 34, 34),
    )
    line = session.exec(select(Audit)).one()
    assert (line.who, line.action, line.detail["to"]) == ("kim", "stage", "tag")
    lower(session, LADDER, "Network", Stage.SHADOW, "kim", NOW)
    assert stage(session) is Stage.SHADOW


def test_a_cap_is_no_loss_and_every_role_leaves_the_shadow_at_once(session: Session) -> None:
    hidden = Ladder(CATALOGUE, LadderSettings(start="shadow"))
    assert hidden.stages(session).together(()) is Stage.SHADOW
    add_tickets(session, 40)
    take(session, hidden, "Network", Stage.TAG, "kim", NOW)
    assert hidden.stages(session).together(()) is Stage.TAG
    assert hidden.stages(session).together(("Network", "Access")) is Stage.SHADOW
    assert begin(session, hidden, "kim", NOW)
    assert not begin(session, hidden, "kim", NOW)
    found = hidden.stages(session)
    assert [found.of(name) for name in CATALOGUE.names] == [Stage.TAG, Stage.COMMENT]
    capped = Ladder(CATALOGUE, LadderSettings(), shadow=True).stages(session)
    assert (capped.of("Network"), capped.taken("Network"), capped.together(())) == (0, Stage.TAG, Stage.SHADOW)


def test_a_renamed_role_keeps_its_stage(session: Session) -> None:
    add_tickets(session, 40)
    take(session, LADDER, "Network", Stage.TAG, "kim", NOW)
    renamed = RoleCatalogue([Role("Connections", aliases=("Network", "LAN"))])
    assert Ladder(renamed, LadderSettings()).stages(session).of("Connections") is Stage.TAG
    assert evidence.of_role(evidence.checked(session, renamed), "Connections") == Share(40, 40)


@pytest.mark.parametrize("how", ["corrected", "moved on", "moved back"])
def test_people_who_take_back_what_was_done_lower_a_role(session: Session, how: str) -> None:
    add_tickets(session, 50)
    take(session, LADDER, "Network", Stage.ASSIGN, "kim", NOW)
    nobody_said(session, range(11, 21))
    act_on(session, range(1, 9), NOW - timedelta(days=1))  # in an earlier stage: no evidence about this one
    act_on(session, range(11, 21), NOW + timedelta(hours=1))
    later = NOW + timedelta(hours=2)
    for number in (11, 12, 13):
        assert settle(session, LADDER, later) == settle(session, LADDER, later, "Network") == []
        key = f"desk:{number}"
        if how == "moved back":
            session.add(GroupMove(ticket_key=key, at=later, before="net", after="Intake"))
        else:
            say(session, key, "Access", later, Via.MOVE if how == "moved on" else Via.COMMAND)
    if how == "moved on":
        session.add(GroupMove(ticket_key="desk:14", at=later, before="net", after="lan"))  # the role's other group
    (move,) = settle(session, LADDER, later, "Network")
    assert (move.stage, move.who, move.why, move.right, move.count) == ("tag", "", "people", 7, 10)
    assert stage(session) is Stage.TAG
    assert settle(session, LADDER, later) == []
    with pytest.raises(NotEarned, match="0 of 0"):
        take(session, LADDER, "Network", Stage.ASSIGN, "kim", later)
    add_tickets(session, 35, 60, at=later)
    take(session, LADDER, "Network", Stage.ASSIGN, "kim", later)


def test_random_checks_that_turn_lower_a_role_and_a_correction_alone_does_not(session: Session) -> None:
    add_tickets(session, 60)
    take(session, LADDER, "Network", Stage.ASSIGN, "kim", NOW)
    for number in range(1, 30):
        say(session, f"desk:{number}", "Access", NOW)  # nothing was done on these
    assert settle(session, LADDER, NOW) == []
    add_tickets(session, 5, 100, wrong=5, at=NOW)
    (move,) = settle(session, LADDER, NOW)
    assert (move.stage, move.why, move.right, move.count) == ("tag", "checks", 60, 65)


@pytest.mark.anyio
async def test_every_minute_roles_are_lowered_and_nothing_is_written_where_nothing_turned(parts: Parts) -> None:
    database = parts.database
    database.call(add_tickets, 60)
    database.call(take, LADDER, "Network", Stage.ASSIGN, "kim", NOW)
    for wrong, moves in ((0, 1), (5, 2)):
        database.call(add_tickets, wrong, 100, wrong=wrong, at=NOW)
        await settle_ladder(database, LADDER)
        await settle_ladder(database, LADDER)
        assert len(database.call(lambda session: session.exec(select(StageMove)).all())) == moves


def test_a_policy_takes_what_is_offered_and_leaves_the_shadow_to_people(session: Session) -> None:
    ladder = Ladder(CATALOGUE, LadderSettings(policy="take"))
    add_tickets(session, 40)
    lower(session, ladder, "Access", Stage.SHADOW, "kim", NOW)
    (move,) = settle(session, ladder, NOW)
    assert (move.role, move.stage, move.who, move.why) == ("Network", "assign", "", "policy")
    assert settle(session, ladder, NOW) == []


def test_only_the_latest_two_hundred_checks_count_and_anonymous_or_undrawn_ones_never(session: Session) -> None:
    add_tickets(session, 210, wrong=10)
    add_tickets(session, 1, 300)
    for ticket in session.exec(select(Ticket).where(Ticket.key == "desk:300")):
        ticket.drawn = False
    assert evidence.of_role(evidence.checked(session, CATALOGUE), "Network") == Share(200, 200)
    add_tickets(session, 1, 301, wrong=1)
    assert evidence.of_role(evidence.checked(session, CATALOGUE), "Network") == Share(199, 200)


def test_where_a_role_stands_and_when_it_may_go_on(session: Session) -> None:
    add_tickets(session, 30)
    network, access = places(session, LADDER, 0.05, AT + timedelta(days=10))
    assert (network.offered, network.next, network.lacking) == (Stage.TAG, Stage.ASSIGN, 5)
    assert network.days is not None
    assert round(network.days) == 33  # three a day, of which one in twenty is drawn
    assert (access.offered, access.next, access.lacking, access.days) == (None, Stage.TAG, 22, None)


def test_a_dry_run_says_what_would_have_been_done(session: Session) -> None:
    add_tickets(session, 10, wrong=2)
    add_tickets(session, 1, 11)
    for ticket in session.exec(select(Ticket).where(Ticket.key == "desk:11")):
        ticket.group = "LAN"
    nobody_said(session, [9, 10])
    for ticket in session.exec(select(Ticket).where(Ticket.key == "desk:10")):
        ticket.drawn = False
    can = {"desk": frozenset({Field.GROUP})}
    found = rehearse(session, CATALOGUE, "Network", Stage.ASSIGN, can, 11)
    assert (found.looked, found.clear, found.there, found.changed) == (11, 10, 1, 9)  # a check waits for its answer
    assert (found.agreed, found.unsaid, found.otherwise) == (6, 1, {"desk:1": ("Access",), "desk:2": ("Access",)})
    assert rehearse(session, CATALOGUE, "Network", Stage.TAG, can).cannot == 10
    assert rehearse(session, CATALOGUE, "Network", Stage.ASSIGN, can, 3).looked == 3


def test_the_command_lists_takes_and_lowers(tmp_path: Path, parts_for: Callable[..., Parts]) -> None:
    (tmp_path / "rules.toml").write_text("")
    (tmp_path / "roles.toml").write_text('[[role]]\nname = "Network"\naliases = ["LAN"]\n[[role]]\nname = "Access"\n')
    (tmp_path / "agent.toml").write_text(
        f'rules = "{tmp_path}/rules.toml"\nroles = "{tmp_path}/roles.toml"\n[ladder]\nstart = "shadow"\n'
    )
    database = parts_for().database
    database.call(add_tickets, 34)

    def run(*words: str) -> str:
        options = ["--config", str(tmp_path / "agent.toml"), "--data", str(tmp_path / "data")]
        result = CliRunner().invoke(app, ["ladder", *words, *options], env={"COLUMNS": "300"})
        return result.output if result.exception is None else str(result.exception)

    first = run()
    assert "nothing is posted: `rolecall ladder begin`" in first
    assert "Network: shadow; right in 34 of 34 random checks, at least 90% in the long run; offered is tag" in first
    assert "Access: shadow; no clear suggestion was checked at random yet; offered is comment" in first
    assert "every role comments" in run("begin")
    assert "no role is in shadow" in run("begin")
    assert run("take", "LAN", "high") == "high is no stage: shadow, comment, tag or assign"
    assert "34 were clear for Network" in (dry := run("take", "Network", "tag", "--dry-run"))
    assert "34 cannot be" in dry
    assert "Network: tag" in run("take", "LAN", "tag")
    assert "has not earned assign" in run("take", "Network", "assign")
    assert "Network: comment" in run("lower", "Network", "comment")
    assert "lowered by command line on" in run()
