"""Roles are found by the words that people and ticketing systems use for them."""

import re
from datetime import date
from pathlib import Path

import pytest

from agent.config.roles_file import RoleEntry, RolesError, load_roles
from agent.domain import Role, RoleCatalogue

SPARKIES = """
[[role]]
name = "Electrical"
description = "Wiring and lights"
aliases = ["sparky", "elec"]
groups = { django-helpdesk = "ELE", zammad = "Power & Light" }
owner = "shift electrician"

[[role]]
name = "Cabin & HVAC"
aliases = ["aircon"]
groups = { django-helpdesk = "CAB" }
from = 2024-01-01
until = 2024-06-30
"""


def load(folder: Path, text: str) -> RoleCatalogue:
    path = folder / "roles.toml"
    path.write_text(text, encoding="utf-8")
    return load_roles(path)


@pytest.mark.parametrize("word", ["Electrical", "ELECTRICAL", "sparky", " Sparky ", "elec"])
def test_a_role_is_found_by_name_or_alias_whatever_the_case(tmp_path: Path, word: str) -> None:
    found = load(tmp_path, SPARKIES).lookup(word)
    assert found is not None
    assert (found.name, found.owner, found.description) == ("Electrical", "shift electrician", "Wiring and lights")


def test_a_name_of_several_words_is_found_whatever_its_spacing(tmp_path: Path) -> None:
    found = load(tmp_path, SPARKIES).lookup("cabin  &\thvac")
    assert found is not None
    assert found.name == "Cabin & HVAC"


def test_an_unknown_word_leads_to_no_role_but_to_names_that_may_have_been_meant(tmp_path: Path) -> None:
    catalogue = load(tmp_path, SPARKIES)
    assert catalogue.lookup("sparkey") is None
    assert catalogue.near("sparkey") == ("Electrical",)
    assert catalogue.near("Electric") == ("Electrical",)
    assert catalogue.near("zzzz") == ()


def test_a_group_leads_to_its_role_only_in_its_own_system(tmp_path: Path) -> None:
    catalogue = load(tmp_path, SPARKIES)
    found = catalogue.of_group("django-helpdesk", "ele")
    assert found is not None
    assert found.name == "Electrical"
    assert found.groups["zammad"] == ("Power & Light",)
    assert catalogue.of_group("zammad", "ELE") is None
    assert catalogue.of_group("django-helpdesk", "NEW") is None
    assert catalogue.of_group("django-helpdesk", None) is None


TWO_SYSTEMS = """
[[role]]
name = "Network"
groups = { it = ["net", "vpn"], plant = "NETZ" }

[[role]]
name = "Accounts"
groups = { it = "acc" }

[[role]]
name = "Electrician"
groups = { plant = "ELE" }

[[role]]
name = "Security"
"""


def test_each_of_several_groups_leads_to_the_role_and_the_first_is_assigned(tmp_path: Path) -> None:
    catalogue = load(tmp_path, TWO_SYSTEMS)
    network = catalogue.lookup("network")
    assert network is not None
    assert [catalogue.of_group("it", group) for group in ("net", "VPN", "NETZ")] == [network, network, None]
    assert [network.group(source) for source in ("it", "plant", "other")] == ["net", "NETZ", None]


def test_a_system_is_suggested_the_roles_that_have_a_group_there_and_those_without_any(tmp_path: Path) -> None:
    catalogue, day = load(tmp_path, TWO_SYSTEMS), date(2026, 1, 1)
    suggested = {source: [role.name for role in catalogue.active(day, source)] for source in ("it", "plant")}
    assert suggested == {"it": ["Network", "Accounts", "Security"], "plant": ["Network", "Electrician", "Security"]}


@pytest.mark.parametrize("source", ["other", None])
def test_a_system_without_a_group_of_any_role_leaves_none_out(tmp_path: Path, source: str | None) -> None:
    catalogue = load(tmp_path, TWO_SYSTEMS)
    assert catalogue.active(date(2026, 1, 1), source) == catalogue.roles


@pytest.mark.parametrize("groups", ["[]", '" "', '["net", ""]', "3"])
def test_groups_that_name_nothing_are_refused_at_their_line(tmp_path: Path, groups: str) -> None:
    with pytest.raises(RolesError, match=r"roles\.toml:3: .*groups|roles\.toml:3: .*at least one group"):
        load(tmp_path, f'[[role]]\nname = "Network"\ngroups = {{ it = {groups} }}\n')


def test_a_role_takes_tickets_from_its_first_to_its_last_day(tmp_path: Path) -> None:
    catalogue = load(tmp_path, SPARKIES)
    days = [date(2023, 12, 31), date(2024, 1, 1), date(2024, 6, 30), date(2024, 7, 1)]
    assert [len(catalogue.active(day)) for day in days] == [1, 2, 2, 1]


def test_all_faults_are_reported_at_once_each_at_its_line(tmp_path: Path) -> None:
    text = """[[role]]
name = "Electrical"
aliases = ["OK", "sparky"]
groups = { django-helpdesk = "ELE" }

[[role]]
name = "Lights, outside"
aliases = ["SPARKY"]
groups = { django-helpdesk = "ele" }
colour = "red"

[[role]]
name = "electrical"
groups = { django-helpdesk = "ele" }
from = 2024-02-01
until = 2024-01-01

[[role]]
description = "nameless"
until = "tomorrow"

[[role]]
name = " "
aliases = ["sparky"]
"""
    with pytest.raises(RolesError) as caught:
        load(tmp_path, text)
    found = [(fault.line, fault.message) for fault in caught.value.faults]
    expected = [
        (3, "'OK' already means something else after /role"),
        (10, "unknown key 'colour'"),
        (13, "'electrical' already leads to role 'Electrical'"),
        (14, "group 'ele' of django-helpdesk already belongs to role 'Electrical'"),
        (16, "until (2024-01-01) is before from (2024-02-01)"),
        (18, "key 'name' is missing"),
        (20, "until: should be a valid date"),
        (23, "a name holds at least one letter"),
        (24, "'sparky' already leads to role 'Electrical'"),
    ]
    assert [line for line, _ in found] == [line for line, _ in expected]
    for (_, message), (_, part) in zip(found, expected, strict=True):
        assert part in message


@pytest.mark.parametrize("name", ["Lights, outside", "Lights\\noutside"])
def test_a_name_that_could_be_read_as_two_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RolesError, match=r"roles\.toml:2: .* comma, tab or line break"):
        load(tmp_path, f'[[role]]\nname = "{name}"\n')


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "role = []\n"])
def test_a_file_without_roles_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RolesError, match="names no role"):
        load(tmp_path, text)


@pytest.mark.parametrize("key", [field.alias or name for name, field in RoleEntry.model_fields.items()])
def test_every_role_key_is_explained_in_the_roles_file(key: str) -> None:
    text = (Path(__file__).parents[3] / "config" / "roles.toml").read_text("utf-8")
    explained = re.findall(r"^# {3}(\w+(?:, \w+)*) {2,}\S", text, re.MULTILINE)
    assert key in {word for line in explained for word in line.split(", ")}


def test_a_renamed_role_is_found_by_the_alias_that_its_old_name_became_or_in_another_case() -> None:
    catalogue = RoleCatalogue([Role("Electrical", aliases=("Sparks",)), Role("network")])
    assert catalogue.today(["Sparks", "Network", "Gone", "Electrical"]) == ("Electrical", "network", "Gone")
