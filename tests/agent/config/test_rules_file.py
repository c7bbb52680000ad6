"""A rules file is taken whole or refused with everything that is wrong with it."""

from datetime import date
from pathlib import Path

import pytest

from agent.config.rules_file import RulesError, load_rules
from agent.domain import Role, RoleCatalogue
from heuristics import Kind, RuleSet, Scope
from heuristics.words import DEFAULT_NEGATION


def load(folder: Path, text: str, roles: tuple[str, ...] | None = None) -> RuleSet:
    path = folder / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return load_rules(path, None if roles is None else RoleCatalogue([Role(name) for name in roles]))


def faults(folder: Path, text: str, roles: tuple[str, ...] | None = None) -> list[tuple[int, str]]:
    with pytest.raises(RulesError) as caught:
        load(folder, text, roles)
    assert all(str(fault).startswith(f"{folder / 'rules.toml'}:{fault.line}: ") for fault in caught.value.faults)
    return [(fault.line, fault.message) for fault in caught.value.faults]


def test_every_key_reaches_the_rule(tmp_path: Path) -> None:
    rules = load(
        tmp_path,
        """
        [[rule]]
        id = "all"
        role = "Network"
        weight = 2
        keywords = ["vpn"]
        patterns = ['wi-?fi']
        scope = "subject"
        negation = ["_ works"]
        from = 2024-01-01
        until = 2024-12-31

        [[rule]]
        id = "few"
        role = "Network"
        kind = "veto"
        keywords = ["printer"]
        """,
    )
    full, few = rules.rules
    assert (full.kind, full.weight, full.keywords, full.patterns) == (Kind.VOTE, 2.0, ("vpn",), ("wi-?fi",))
    assert (full.scope, full.negation) == (Scope.SUBJECT, ("_ works",))
    assert (full.active_from, full.active_until) == (date(2024, 1, 1), date(2024, 12, 31))
    assert (few.kind, few.weight, few.negation) == (Kind.VETO, 0.0, DEFAULT_NEGATION)


def test_a_rule_may_name_a_role_by_its_former_name(tmp_path: Path) -> None:
    text = "".join(f'[[rule]]\nid = "{name}"\nrole = "{name}"\nkeywords = ["x"]\n' for name in ("Lines", "network"))
    (tmp_path / "rules.toml").write_text(text, encoding="utf-8")
    rules = load_rules(tmp_path / "rules.toml", RoleCatalogue([Role("Network", aliases=("Lines",))]))
    assert [rule.role for rule in rules.rules] == ["Network", "Network"]


def test_the_files_own_default_negation_replaces_the_built_in_one(tmp_path: Path) -> None:
    rules = load(
        tmp_path,
        '[defaults]\nnegation = ["sans _"]\n[[rule]]\nid = "a"\nrole = "R"\nkeywords = ["x"]\n'
        '[[rule]]\nid = "b"\nrole = "R"\nkeywords = ["x"]\nnegation = []\n',
    )
    assert [rule.negation for rule in rules.rules] == [("sans _",), ()]


def test_all_faults_are_reported_at_once_each_at_its_line(tmp_path: Path) -> None:
    text = '''extra = 1
[defaults]
negation = ["_"]
[[rule]]
id = "one"
role = "Nobody"
keywords = ["..."]
patterns = [
  "ok",
  "(unclosed",
]
[[rule]]
id = "one"   # [[rule]] in a comment is no rule
role = "Network"
note = """
[[rule]]
id = 5
"""
[[rule]]
id = "one"
role = "Network"
[[rule]]
id = "two"
role = "Network"
keyword = ["vpn"]
weight = -1
kind = "maybe"
[[rule]]
id = "three"
role = "Network"
keywords = "vpn"
[[rule]]
id = "four"
role = "Network"
kind = "veto"
weight = 1.0
patterns = ["x*"]
from = 2024-02-01
until = 2024-01-01
[[rule]]
keywords = ["vpn"]
'''
    found = faults(tmp_path, text, ("Network", "Desktop"))
    expected = [
        (1, "unknown key 'extra'"),
        (3, "'_' is not a phrase"),
        (6, "rule 'one': role 'Nobody' is not among the roles (Desktop, Network)"),
        (7, "rule 'one': keyword '...' holds no word"),
        (8, "rule 'one': pattern '(unclosed': missing )"),
        (15, "rule 'one': unknown key 'note'"),
        (19, "rule 'one': has neither keywords nor patterns"),
        (20, "rule 'one': the id is already taken by line 4"),
        (25, "rule 'two': unknown key 'keyword' (did you mean 'keywords'?)"),
        (26, "rule 'two': weight: should be greater than 0"),
        (27, "rule 'two': kind: should be 'vote' or 'veto'"),
        (31, "rule 'three': keywords: should be a list"),
        (36, "rule 'four': a veto has no weight"),
        (37, "rule 'four': pattern 'x*': matches the empty text"),
        (39, "rule 'four': until (2024-01-01) is before from (2024-02-01)"),
        (40, "rule number 7: key 'id' is missing"),
        (40, "rule number 7: key 'role' is missing"),
    ]
    assert [line for line, _ in found] == [line for line, _ in expected]
    for (_, message), (_, part) in zip(found, expected, strict=True):
        assert part in message


@pytest.mark.parametrize("pattern", ["(?=x)y", "(?<!n)o", r"(a)\1"])
def test_a_pattern_that_needs_backtracking_is_refused(tmp_path: Path, pattern: str) -> None:
    [(line, message)] = faults(tmp_path, f"[[rule]]\nid = 'a'\nrole = 'R'\npatterns = ['{pattern}']\n")
    assert line == 4
    assert f"pattern {pattern!r}: invalid" in message


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a = 1\nb = \n", 2, "not TOML"),
        ("[[rule]]\nid = 'a\n", 2, "not TOML"),
        ("[rule]\nid = 'a'\n", 1, "under its own [[rule]]"),
        ("rule = 5\n", 1, "under its own [[rule]]"),
        ("[defaults]\nnegations = []\n", 2, "unknown key 'negations'"),
    ],
)
def test_a_file_of_the_wrong_shape_is_refused_with_its_line(tmp_path: Path, text: str, line: int, part: str) -> None:
    [(found, message)] = faults(tmp_path, text)
    assert found == line
    assert part in message


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="there is no such file"):
        load_rules(tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(RulesError, match=r"latin\.toml:1: cannot be read: not UTF-8"):
        load_rules(tmp_path / "latin.toml")


def test_an_empty_file_is_a_rule_set_without_rules(tmp_path: Path) -> None:
    assert load(tmp_path, "").match("anything", "at all", date(2024, 1, 1)) == ()
