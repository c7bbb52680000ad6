"""Rules and Roles: what a text would be, how each rule fares, and lines that the files take as they are shown."""

from __future__ import annotations

import html
import re
from datetime import date
from pathlib import Path

import pytest

from agent.config.roles_file import load_roles
from agent.config.rules_file import load_rules
from agent.domain import Role
from agent.pages.roles import lines
from agent.pages.rules import measured, says
from agent.pages.signing.rights import Rights
from heuristics import Kind, Rule, RuleSet
from heuristics.report import ReviewedText
from tests.agent.pages.conftest import signed_in, words_of
from tests.desk import Desk
from tests.serving_app import Running

DAY = date(2026, 3, 4)


def known(*texts: tuple[str, str]) -> list[ReviewedText]:
    return [ReviewedText(f"desk:{n}", text, "", (role,), DAY) for n, (text, role) in enumerate(texts)]


DOCKS = [(f"docking station {letter} is dead", "Hardware") for letter in "abcdefghi"]
OTHERS = [(f"account {letter} is locked", "Access") for letter in "abcdefghi"]


def test_worst_rules_come_first_and_what_no_rule_has_is_proposed() -> None:
    rules = RuleSet([Rule("locked", "Access", keywords=("locked",)), Rule("dead", "Access", keywords=("dead",))])
    found = measured(rules, known(*DOCKS, *OTHERS))
    assert [(one.rule.id, one.right, one.tickets) for one in found.rules] == [("dead", 0, 9), ("locked", 9, 9)]
    words = {one.figures.rule.keywords[0]: one.figures.rule.role for one in found.proposals}
    assert words["docking"] == "Hardware"
    assert "locked" not in words
    assert measured(rules, []).proposals == ()


def test_proposed_lines_are_rules_that_do_what_was_said(tmp_path: Path) -> None:
    (tmp_path / "roles.toml").write_text("".join(f'[[role]]\nname = "{name}"\n' for name in ("Hardware", "Access")))
    found = measured(RuleSet(), known(*DOCKS, *OTHERS))
    (tmp_path / "rules.toml").write_text("\n".join(one.lines for one in found.proposals))
    rules = load_rules(tmp_path / "rules.toml", load_roles(tmp_path / "roles.toml"))
    again = {one.rule.id: (one.right, one.tickets) for one in measured(rules, known(*DOCKS, *OTHERS)).rules}
    assert again == {one.figures.rule.id: (one.figures.right, one.figures.tickets) for one in found.proposals}


@pytest.mark.parametrize(("weight", "word"), [(0.5, "hint"), (1.0, "strong"), (2.3, "decisive")])
def test_weights_have_words(weight: float, word: str) -> None:
    (one,) = measured(RuleSet([Rule("r", "Access", weight=weight, keywords=("x",))]), []).rules
    assert says(one) == word
    (veto,) = measured(RuleSet([Rule("v", "Access", kind=Kind.VETO, weight=0, keywords=("x",))]), []).rules
    assert says(veto) == "rules_out"


def test_the_lines_of_a_role_make_the_same_role(tmp_path: Path) -> None:
    role = Role(
        'Net "work"', "Cables \\ and more", ("LAN", "WLAN\u007f"), {"desk 1": ("a", "b"), "x": ("c",)},
        "Kim", DAY, date(2027, 1, 1),
    )  # fmt: skip
    (tmp_path / "roles.toml").write_text(lines(role) + lines(Role("Plain")))
    assert load_roles(tmp_path / "roles.toml").roles == (role, Role("Plain"))


@pytest.mark.anyio
async def test_a_text_is_tried_and_nothing_of_it_is_kept(server: Running, desk: Desk) -> None:
    viewer = signed_in(server, Rights.VIEWER)
    page = words_of(await viewer.see("/rules"))
    assert "Nothing that no rule has" in page
    answer = await viewer.post("/rules", subject="VPN is down", body="<b>canary</b>")
    shown = words_of(answer.text)
    assert answer.status_code == 200
    assert "The rules add up to: Network +" in shown
    assert "<b>canary" not in answer.text
    assert "No rule hits" in words_of((await viewer.post("/rules", subject="", body="")).text)
    assert "canary" not in await viewer.see("/rules")
    roles = await viewer.see("/roles")
    assert "Network" in words_of(roles)
    found = re.search(r'<pre class="copy">(.*?)</pre>', roles, re.DOTALL)
    assert found is not None
    assert html.unescape(found[1]).startswith("[[role]]")
