"""Commands count as people type them, where they type them, and nowhere else."""

from __future__ import annotations

import pytest

from agent.domain import Role, RoleCatalogue
from agent.feedback.commands import Command, Confirm, Contradictory, Correct, Misplaced, NotUnderstood, parse

ROLES = RoleCatalogue(
    [
        Role("Engine", aliases=("motor",)),
        Role("Engine Room"),
        Role("Network", aliases=("LAN/Wi-Fi", "net")),
        Role("Büro & Einkauf"),
        Role("漏油"),
    ]
)
ENGINE, NETWORK = Correct(("Engine",)), Correct(("Network",))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/role Engine", ENGINE),
        ("/role Engine\r\nThe pump itself is fine, injector leaks.", ENGINE),
        ("The pump is fine.\r\n/role Engine\r\n", ENGINE),
        ("/role\u00a0Engine", ENGINE),
        ("\u200b/role\u2003Engine\u200b", ENGINE),
        ("/ROLE engine.", ENGINE),
        ("/role: Engine", ENGINE),
        ("/role : Engine!", ENGINE),
        ("**/role Engine**", ENGINE),
        ("`/role Engine`", ENGINE),
        ("- /role Engine", ENGINE),
        ("1. /role Engine", ENGINE),
        ("/role „Engine“", ENGINE),
        ("／role Engine", ENGINE),
        ("/role motor", ENGINE),
        ("/role Engine please have a look", ENGINE),
        ("/role Engine, please", ENGINE),
        ("/role engine room", Correct(("Engine Room",))),
        ("/role Engine\nroom 4", ENGINE),
        ("/role lan/wi-fi", NETWORK),
        ("/role Engine, net", Correct(("Engine", "Network"))),
        ("/role Engine,Network , motor", Correct(("Engine", "Network"))),
        ("/role Bu\u0308ro & Einkauf", Correct(("Büro & Einkauf",))),
        ("/role 漏油", Correct(("漏油",))),
        ("/role ok", Confirm()),
        ("/role OK, thanks", Confirm()),
        ("/role Engine\n-- \nAnn Other\nNetwork team", ENGINE),
        ("/role Engine\n\nKind regards\nAnn", ENGINE),
        ("Hello Kim\n/role Engine\nthanks", ENGINE),
        ("Guten Morgen\n/role Engine\ndanke", ENGINE),
        ("Checked it,\n/role Engine\nthanks", ENGINE),
        ("/role Engine\n/role Engine", ENGINE),
        ("<p>Hello,</p><p>/role Engine</p>", ENGINE),
        ("<div>/role&nbsp;Engine<br></div>", ENGINE),
        ("role Engine", ENGINE),
        ("Role motor.", ENGINE),
        ("role ok", Confirm()),
    ],
)
def test_a_command_counts_as_people_type_it(text: str, command: Command) -> None:
    assert parse(text, ROLES) == command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("please use /role Engine next time", Misplaced()),
        ("Right? Answer with a private note `/role ok`. Wrong? `/role NAME`.", Misplaced()),
        ("I would say that the best\n/role Engine\nis not, as it happens", Misplaced()),
        ("/role Engine\n/role Network", Contradictory()),
        ("/role Engine\n/role ok", Contradictory()),
        ("/role Engin", NotUnderstood("Engin", ("Engine", "Engine Room"))),
        ("/role Engin please", NotUnderstood("Engin please", ("Engine",))),
        ("/role", NotUnderstood("", ())),
        ("/role okay", NotUnderstood("okay", ())),
        ("/role Enginee Room, Network", NotUnderstood("Enginee Room", ("Engine Room", "Engine"))),
    ],
)
def test_what_is_not_obeyed_has_a_reason_that_can_be_answered(text: str, command: Command) -> None:
    assert parse(text, ROLES) == command


@pytest.mark.parametrize(
    "text",
    [
        "The role of the engine is clear.",
        "role Engine is wrong",
        "role: Engine",
        "**Role: Engine** (94 %)",
        "**Role: Engine or Bucket?** (54 %, 38 %)",
        "**Role: perhaps Engine?** (54 %)",
        "https://desk.example/role Engine",
        "see docs/role Engine",
        "/roles Engine",
        "> /role Engine",
        "    /role Engine",
        "```\n/role Engine\n```",
        "On Mon, 3 Mar 2025, Ann wrote:\n/role Engine",
        "-----Ursprüngliche Nachricht-----\nVon: Ann\n/role Engine",
        "",
    ],
)
def test_what_is_no_command_is_none(text: str) -> None:
    assert parse(text, ROLES) is None
