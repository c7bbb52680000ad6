"""Where nothing speaks for a role, the first one of the file is no answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from agent.core import Parts
from agent.domain import Example
from agent.studies.judged import NO_ANSWER, judge_all, report

ROLES = "".join(f'[[role]]\nname = "{name}"\n' for name in ("Access", "Network"))
RULE = '[[rule]]\nid = "vpn"\nrole = "Network"\nweight = 3.0\nkeywords = ["vpn"]\n'
AT = datetime(2026, 1, 5, tzinfo=UTC)


def test_without_a_model_only_tickets_that_a_rule_speaks_on_are_answered(
    parts_for: Callable[..., Parts], tmp_path
) -> None:
    (tmp_path / "roles.toml").write_text(ROLES)
    (tmp_path / "rules.toml").write_text(RULE)
    parts = parts_for(roles=tmp_path / "roles.toml", rules=tmp_path / "rules.toml")
    tickets = [("VPN is down", "Network"), ("my badge", "Access"), ("the door", "Access"), ("vpn", "Access")]
    examples = [Example(f"x:{n}", text, "", (role,), AT) for n, (text, role) in enumerate(tickets)]
    judged = list(judge_all(parts.classifier, examples))
    assert [j.predicted for j in judged] == [("Network",), (), (), ("Network",)]
    found = report(judged)
    assert found.accuracy == sum(j.right for j in judged) / 4 == 0.25
    assert {score.role: score.recall for score in found.by_role} == {"Access": 0.0, "Network": 1.0, NO_ANSWER: 0.0}
