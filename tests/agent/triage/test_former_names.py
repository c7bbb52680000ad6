"""A model that was trained under former names of roles speaks of today's, before any other training."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from agent.core import Parts
from agent.domain import Role, RoleCatalogue
from agent.learning.contest import contest
from agent.serving.registry import Registry
from agent.triage.cutoffs import NEVER
from agent.triage.model import Columns, TicketModel
from tests.agent.conftest import quick
from tests.conftest import TICKETS

DAY = date(2026, 1, 5)
TEXTS = ("VPN is down", "cannot reach the gateway", "Toilet on floor 2 leaks", "no power at the socket", "Printer jam")


def renamed(parts_for: Callable[..., Parts], folder: Path, *changes: tuple[str, str]) -> Parts:
    """Assemble the trained installation with another roles file; its rules still use the former names."""
    text = (TICKETS / "roles.toml").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "roles.toml").write_text(text, "utf-8")
    return parts_for(roles=folder / "roles.toml", **quick())


def serving(parts: Parts) -> TicketModel:
    assert parts.active.current is not None
    return parts.active.current


@pytest.mark.xdist_group("trained")
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("network", [('name = "Network"', 'name = "network"'), ('"net"', '"NET"')]),
        ("Lines & VPN", [('name = "Network"', 'name = "Lines & VPN"'), ('"net"', '"Network"')]),
    ],
)
def test_a_renamed_role_answers_as_before(
    trained: Parts, parts_for: Callable[..., Parts], tmp_path: Path, name: str, changes: list[tuple[str, str]]
) -> None:
    parts = renamed(parts_for, tmp_path, *changes)
    assert name in serving(parts).roles
    for text in TEXTS:
        before = trained.classifier.opinion(text, "", DAY)
        after = parts.classifier.opinion(text, "", DAY)
        assert [(name if role == "Network" else role, p) for role, p in before.ranked()] == after.ranked()
        assert after.neighbours == tuple(
            type(n)(n.ticket_key, n.similarity, tuple(name if role == "Network" else role for role in n.roles))
            for n in before.neighbours
        )
    assert serving(parts).cutoffs.of(name) == serving(trained).cutoffs.of("Network")
    trials = [
        contest(
            p.database, Registry(p.directory.models, p.directory.encoders), p.classifier.rules, p.classifier.catalogue
        )
        for p in (trained, parts)
    ]
    answers = [trial.answers(trial.load(serving(trained).version)) for trial in trials]
    np.testing.assert_array_equal(*answers)
    np.testing.assert_array_equal(*[trial.labels for trial in trials])


@pytest.mark.xdist_group("trained")
def test_without_an_alias_a_renamed_role_is_another_one(
    trained: Parts, parts_for: Callable[..., Parts], tmp_path: Path
) -> None:
    """Control."""
    text = (TICKETS / "rules.toml").read_text("utf-8").replace('"Network"', '"Lines & VPN"')
    (tmp_path / "rules.toml").write_text(text, "utf-8")
    roles = (TICKETS / "roles.toml").read_text("utf-8").replace('name = "Network"', 'name = "Lines & VPN"')
    (tmp_path / "roles.toml").write_text(roles, "utf-8")
    parts = parts_for(roles=tmp_path / "roles.toml", rules=tmp_path / "rules.toml", **quick())
    assert "Lines & VPN" not in serving(parts).roles
    assert "Network" in serving(trained).roles


@pytest.mark.xdist_group("trained")
def test_of_merged_roles_everything_adds_up(trained: Parts, parts_for: Callable[..., Parts], tmp_path: Path) -> None:
    both = "Electrician", "Network"
    first = (TICKETS / "roles.toml").read_text("utf-8").index('[[role]]\nname = "Electrician"')
    table = (TICKETS / "roles.toml").read_text("utf-8")[first:].split("\n\n")[0]
    parts = renamed(parts_for, tmp_path, (table, ""), ('aliases = ["net"', 'aliases = ["Electrician", "net"'))
    before, after = serving(trained), serving(parts)
    old, new = [before.roles.index(role) for role in both], after.roles.index("Network")
    assert set(after.roles) == set(before.roles) - {"Electrician"}
    spoken = before.probabilities(TEXTS)[:, old].sum(axis=1)
    np.testing.assert_allclose(after.probabilities(TEXTS)[:, new], spoken, rtol=1e-6)
    assert after.fusion.base[new] == pytest.approx(before.fusion.base[old].sum())
    for rule, counts in before.fusion.history.by_role.items():
        assert after.fusion.history.by_role[rule][new] == pytest.approx(counts[old].sum())
        assert after.fusion.history.hits[rule] == before.fusion.history.hits[rule]
    for key, answer in before.honest.items():
        assert after.honest[key][new] == pytest.approx(answer[old].sum())
    assert after.cutoffs.of("Network") < NEVER
    memories = [p.classifier.memory.current for p in (trained, parts)]
    labels = [memory.memory.labels for memory in memories if memory]
    np.testing.assert_array_equal(labels[0][:, old].sum(axis=1), labels[1][:, new])
    assert parts.classifier.opinion("no power at the socket", "", DAY).ranked()[0][0] == "Network"


def test_where_a_ticket_may_have_several_roles_it_has_the_merged_one_if_it_has_either() -> None:
    columns = Columns.of(["a", "b", "C"], RoleCatalogue([Role("A", aliases=("c",)), Role("b")]))
    assert columns.merged
    assert columns.roles == ("A", "b")
    np.testing.assert_allclose(columns.either(np.array([[0.5, 0.2, 0.5], [1.0, 0.0, 1.0]])), [[0.75, 0.2], [1.0, 0.0]])
    np.testing.assert_array_equal(columns.highest(np.array([0.3, 2.0, 0.9])), [0.9, 2.0])
