"""Without a model only a rule that votes speaks for a role: the first role of the file is no answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from agent.core import Parts
from agent.domain import Outcome, Reason

TODAY = date(2026, 1, 5)
ROLES = "".join(f'[[role]]\nname = "{name}"\n' for name in ("Access", "Network"))
RULES = """
[[rule]]
id = "vpn"
role = "Network"
weight = 3.0
keywords = ["vpn"]

[[rule]]
id = "not-network"
role = "Network"
kind = "veto"
keywords = ["badge"]
"""


@pytest.fixture
def two_roles(parts_for: Callable[..., Parts], tmp_path) -> Parts:
    (tmp_path / "roles.toml").write_text(ROLES)
    (tmp_path / "rules.toml").write_text(RULES)
    return parts_for(roles=tmp_path / "roles.toml", rules=tmp_path / "rules.toml", triage={"silent_below": 0.2})


@pytest.mark.parametrize("text", ["the door is stuck", "my badge is broken", "vpn and badge"])
def test_where_nothing_speaks_for_a_role_there_is_no_suggestion(two_roles: Parts, text: str) -> None:
    opinion = two_roles.classifier.opinion(text, "", TODAY)
    assert (opinion.outcome, opinion.reason) == (Outcome.NONE, Reason.UNTAUGHT)


@pytest.mark.parametrize("text", ["", "Hello, please have a look.", "<html><body><p>Bitte ansehen</p></body></html>"])
def test_hardly_any_text_is_the_reason_for_no_suggestion(two_roles: Parts, text: str) -> None:
    opinion = two_roles.classifier.opinion(text, "", TODAY)
    assert (opinion.outcome, opinion.reason) == (Outcome.NONE, Reason.HARDLY_ANY_TEXT)


def test_a_rule_that_votes_is_enough(two_roles: Parts) -> None:
    opinion = two_roles.classifier.opinion("VPN is down", "", TODAY)
    assert opinion.ranked()[0][0] == "Network"
    assert (opinion.outcome, opinion.reason) == (Outcome.EITHER_OR, None)
