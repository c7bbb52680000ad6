"""A role earns "assign" on a real django-helpdesk, acts while Rolecall is killed, and falls when people take it back.

    LADDER_KILLS=100 pytest tests/proofs/servers/test_ladder.py      # 10 of them otherwise

After every kill each ticket is in the role's queue by one request, or where a person had put it meanwhile.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from sqlalchemy import NullPool
from sqlmodel import Session, create_engine, select

from agent.config.checks import LadderSettings
from agent.demo.helpdesk import HelpdeskServer, HelpdeskUnavailable, ensure_environment
from agent.demo.installation import Installation
from agent.demo.staff import Staff
from agent.errors import NotPossibleYet
from agent.ladder.earning import Shown, fallen
from agent.report.week import Share
from agent.store.actions import Acted, Action, GroupMove
from agent.store.stages import Stage
from tests.proofs.gateway import Gateway, Moment

Row = TypeVar("Row", Action, GroupMove)

KILLS = int(os.environ.get("LADDER_KILLS", "10"))
CHECKED = 36
TEXT = "The hydraulic hose drips"
ROLES = """
[[role]]
name = "Hydraulics"
groups = { django-helpdesk = "HYD" }
[[role]]
name = "Electrician"
groups = { django-helpdesk = "ELE" }
"""
RULES = '[[rule]]\nid = "hose"\nrole = "Hydraulics"\nkeywords = ["hose"]\nweight = 6.0\n'


@dataclass
class Place:
    """A Rolecall beside its helpdesk, whose requests pass a gateway."""

    installation: Installation
    helpdesk: HelpdeskServer
    gateway: Gateway
    tech: Staff

    def file(self) -> int:
        return self.tech.file(self.helpdesk.queues["WO"], TEXT, f"{TEXT}.")

    def filed(self) -> int:
        number = self.file()
        self.installation.wait_until_idle(60)
        return number

    def queue(self, number: int) -> str:
        answer = self.tech._http.get(f"/api/tickets/{number}/").raise_for_status().json()
        return {number: slug for slug, number in self.helpdesk.queues.items()}[answer["queue"]]

    def patches(self, number: int) -> int:
        return self.gateway.requests.count(f"PATCH /api/tickets/{number}/")

    def rows(self, table: type[Row]) -> Sequence[Row]:
        engine = create_engine(f"sqlite:///{self.installation.folder}/data/rolecall.sqlite3", poolclass=NullPool)
        with Session(engine) as session:
            return session.exec(select(table)).all()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    try:
        python = ensure_environment()
    except HelpdeskUnavailable as error:
        pytest.skip(f"no real helpdesk here: {error}")
    for name, text in (("roles.toml", ROLES), ("rules.toml", RULES)):
        (tmp_path / name).write_text(text)
    with (
        Installation(tmp_path / "rolecall", tmp_path / "rules.toml", tmp_path / "roles.toml") as installation,
        HelpdeskServer(python, tmp_path / "helpdesk", installation.webhook_url) as helpdesk,
        Gateway(helpdesk.url) as gateway,
        Staff(helpdesk.url, helpdesk.tokens["tech"]) as tech,
    ):
        work = {"settle_seconds": 1, "poll_seconds": 1, "retry_seconds": [0.5, 1.0, 2.0, 5.0]}
        installation.configure(helpdesk, work=work, checks={"share": 1.0})
        file = installation.folder / "agent.toml"
        file.write_text(file.read_text().replace(helpdesk.url, gateway.url))
        yield Place(installation, helpdesk, gateway, tech)


@contextmanager
def reviewer(installation: Installation) -> Iterator[Callable[[int, str], None]]:
    """Sign somebody in as people do, and return what answers a random check."""
    link = re.search(r"http\S+/sign-in/\S+", installation.run("users", "add", "kim"))
    assert link, "no one-time link"
    browser = httpx.Client(base_url=installation.url, trust_env=False, follow_redirects=True, timeout=30)

    def post(page: str, path: str, **fields: str) -> httpx.Response:
        form = re.search(r'name="form" value="(\w+)"', browser.get(page).text)
        assert form, page
        return browser.post(path, data={"form": form[1], **fields}).raise_for_status()

    def answer(number: int, role: str) -> None:
        post("/review", "/review", ticket=f"django-helpdesk:{number}", role=role, seen="0")

    with browser:
        path, password = httpx.URL(link[0]).path, "correct horse battery staple"
        post(path, path, password=password, again=password, name="kim")
        yield answer


def earn(place: Place) -> None:
    """File tickets, check each at random, and take what is offered."""
    ladder = place.installation.run
    with pytest.raises(NotPossibleYet, match="has not earned assign"):
        ladder("ladder", "take", "Hydraulics", "assign")
    numbers = [place.file() for _ in range(CHECKED)]
    place.installation.wait_until_idle(120)
    with reviewer(place.installation) as answer:
        for number in numbers:
            answer(number, "Hydraulics")
    dry = ladder("ladder", "take", "Hydraulics", "assign", "--dry-run")
    assert f"{CHECKED} would have been put into its group" in dry
    assert {place.queue(number) for number in numbers[:3]} == {"WO"}, "nothing acts before somebody takes the stage"
    assert "offered is assign" in ladder("ladder")
    assert "Hydraulics: assign" in ladder("ladder", "take", "Hydraulics", "assign")


@dataclass(frozen=True)
class Blow:
    """Where Rolecall is killed, what a person does meanwhile, and where the ticket has to be in the end."""

    request: str
    moment: Moment
    meanwhile: str = "nothing"
    queue: str = "HYD"
    patches: int = 1


BLOWS = (
    Blow("PATCH /api/tickets/", "before"),
    Blow("PATCH /api/tickets/", "after"),
    Blow("POST /api/followups/", "before"),
    Blow("POST /api/followups/", "after"),
    Blow("PATCH /api/tickets/", "before", "moved on", "ELE", 0),
    Blow("PATCH /api/tickets/", "after", "moved on", "ELE", 1),
    Blow("PATCH /api/tickets/", "after", "moved back", "WO", 1),
    Blow("POST /api/followups/", "after", "moved on", "ELE", 0),
    Blow("POST /api/followups/", "before", "corrected", "WO", 0),
    Blow("GET /api/tickets/", "after"),
)


def unheard(place: Place, number: int, text: str) -> None:
    """Write a note while Rolecall is down: the helpdesk stores it, and shows an error since it can tell nobody."""
    with pytest.raises(httpx.HTTPStatusError):
        place.tech.reply(number, text)


def strike(place: Place, blow: Blow) -> int:
    """Kill Rolecall around a request for a new ticket, let a person act, and start it again."""
    installation, process = place.installation, place.installation._process
    assert process is not None
    place.gateway.strike(process.pid, blow.moment, lambda what: what.startswith(blow.request))
    number = place.file()
    assert place.gateway.struck.wait(60), blow
    installation.kill()
    match blow.meanwhile:
        case "moved on":
            place.tech.move(number, place.helpdesk.queues["ELE"])
        case "moved back":
            place.tech.move(number, place.helpdesk.queues["WO"])
            unheard(place, number, "Ours, please")
        case "corrected":
            unheard(place, number, "/role Electrician")
    installation.start()
    installation.wait_until_idle(60)
    return number


def test_a_role_earns_assign_acts_through_kills_and_is_lowered_by_what_people_take_back(place: Place) -> None:
    place.installation.start()
    earn(place)
    wrong, double, where = [], [], {}
    for blow, _ in zip(cycle(BLOWS), range(KILLS), strict=False):
        number = strike(place, blow)
        where[number] = blow.queue
        if place.queue(number) != blow.queue:
            wrong.append((number, blow, place.queue(number)))
        if place.patches(number) != blow.patches:
            double.append((number, blow, place.patches(number)))
        assert (wrong, double) == ([], []), f"after {len(where)} kills"

    kept = [row for row in place.rows(Action) if row.outcome == Acted.DONE and row.role == "Hydraulics"]
    back: set[str] = set()
    while fallen(Stage.ASSIGN, Shown(acts=Share(len(kept) - len(back), len(kept))), LadderSettings()) is None:
        number = place.filed()
        assert place.queue(number) == "HYD", f"lowered after {len(back)} of {len(kept)}"
        kept = [row for row in place.rows(Action) if row.outcome == Acted.DONE and row.role == "Hydraulics"][-50:]
        place.tech.move(number, place.helpdesk.queues["WO"])
        back.add(f"django-helpdesk:{number}")
        until = time.monotonic() + 30
        while not back <= {row.ticket_key for row in place.rows(GroupMove) if row.after == "WO"}:
            assert time.monotonic() < until, "the move back was not seen"
            time.sleep(0.2)
    assert len(back) >= 3
    assert place.queue(place.filed()) == "WO"
    told = place.installation.run("ladder")
    assert f"Hydraulics: tag; right in {CHECKED} of {CHECKED} random checks" in told
    assert f"people left {len(kept) - len(back)} of {len(kept)} tickets as Rolecall had changed them" in told
    with pytest.raises(NotPossibleYet, match="0 of 0"):
        place.installation.run("ladder", "take", "Hydraulics", "assign")
    where |= {int(key.partition(":")[2]): "WO" for key in back}
    assert {number: place.queue(number) for number in where} == where  # after all these polls, too
    print(f"kills={KILLS} wrong={len(wrong)} double={len(double)} acted={len(kept)} back={len(back)}")
