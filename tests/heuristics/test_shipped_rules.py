"""The rules files that come with the project load, fit their roles, and teach their own format."""

import re
from datetime import date
from pathlib import Path

import pytest

from agent.config.roles_file import load_roles
from agent.config.rules_file import DefaultsEntry, RuleEntry, load_rules
from agent.demo.corpus import planner_groups
from heuristics import leading_role
from heuristics.rules import Kind, Scope

ROOT = Path(__file__).parents[2]
STARTERS = ROOT / "config/starters"
FOLDERS = [ROOT / "config", STARTERS / "it", STARTERS / "facilities", ROOT / "tests/proofs/bench/sandiego"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_shipped_rules_speak_for_every_shipped_role_and_no_other(folder: Path) -> None:
    roles = load_roles(folder / "roles.toml")
    rules = load_rules(folder / "rules.toml", roles)
    assert {rule.role for rule in rules.rules if rule.kind is Kind.VOTE} == set(roles.names)


def test_the_demos_roles_are_the_planner_groups_of_its_corpus() -> None:
    names = load_roles(ROOT / "config" / "roles.toml").names
    assert set(names) == set(planner_groups().values()) - {""}


@pytest.mark.parametrize("key", [field.alias or name for name, field in RuleEntry.model_fields.items()])
def test_every_rule_key_is_explained_in_the_rules_file(key: str) -> None:
    comments = re.findall(r"^# {3}(\w+(?:, \w+)*) {2,}\S", (ROOT / "config" / "rules.toml").read_text("utf-8"), re.M)
    assert key in {word for line in comments for word in line.split(", ")}


@pytest.mark.parametrize("word", [*DefaultsEntry.model_fields, *Kind, *Scope])
def test_every_default_and_every_choice_is_named_in_the_rules_file(word: str) -> None:
    comments = [
        line for line in (ROOT / "config" / "rules.toml").read_text("utf-8").splitlines() if line.startswith("#")
    ]
    assert re.search(rf"\b{word}\b", "\n".join(comments))


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("aircon blows warm", "Cabin & HVAC"),
        ("A/C compressor hose leaking oil", "Cabin & HVAC"),
        ("bucket missing two teeth", "Bucket"),
        ("bucket cyl. hose burst", "Hydraulics"),
        ("grease not reaching bucket pins", "Lubrication"),
        ("L/H engine overheating", "Engine"),
        ("step light flickers", "Electrical"),
        ("weld handrail", "Structure & Undercarriage"),
        ("please call back", None),
    ],
)
def test_the_demos_rules_decide_plain_cases(text: str, role: str | None) -> None:
    hits = load_rules(ROOT / "config" / "rules.toml").match(text, "", date(2012, 1, 1))
    assert leading_role(hits) == role


@pytest.mark.parametrize(
    ("starter", "text", "role"),
    [
        ("it", "I forgot my password", "Access & Accounts"),
        ("it", "VPN drops every hour", "Network"),
        ("it", "Toner of the printer is empty", "Devices"),
        ("it", "Excel shows an error", "Applications"),
        ("it", "Restore a folder from the backup", "Servers & Backup"),
        ("it", "Please call me back", None),
        ("facilities", "No light in the stairwell", "Electrician"),
        ("facilities", "The toilet is blocked", "Plumber"),
        ("facilities", "Radiator stays cold", "Heating & Cooling"),
        ("facilities", "The badge does not open the door", "Locks & Doors"),
        ("facilities", "Elevator is stuck", "Lifts"),
    ],
)
def test_the_starters_rules_decide_plain_cases(starter: str, text: str, role: str | None) -> None:
    hits = load_rules(STARTERS / starter / "rules.toml").match(text, "", date(2026, 1, 1))
    assert leading_role(hits) == role
