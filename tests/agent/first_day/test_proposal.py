"""What is proposed can be loaded as it is, whatever the groups are called, and says how good it is."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.config.loading import load
from agent.config.roles_file import load_roles
from agent.config.rules_file import load_rules
from agent.first_day import proposal
from connectors.events import Ticket

CONFIG = Path(__file__).parents[3] / "config"
HOSTILE = [
    "ok",
    "None",
    "net, ele",
    'say "hi"',
    "4711",
    "tab\there",
    "line\nbreak",
    "\x7f\x1b[31m",
    "x" * 300,
    "Ärzte 🏥",
]


def ticket(number: int, text: str, group: str | None) -> Ticket:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    return Ticket(str(number), text, "", group=group, closed=True, created_at=at, closed_at=at)


def history() -> list[Ticket]:
    said = {"net": "the vpn drops again at gate", "ele": "no light in stairwell", "plu": "water leak under sink"}
    return [ticket(n, f"{said[group]} {n}", group) for n in range(60) for group in [("net", "ele", "plu")[n % 3]]]


def test_files_that_are_proposed_can_be_loaded(tmp_path: Path) -> None:
    rules, roles = proposal.mined(
        history(), proposal.roles({"net": 20, "ele": 20, "plu": 20, "new": 2}, {"net": "Network"})
    )
    (tmp_path / "roles.toml").write_text(proposal.roles_file("plant", roles))
    (tmp_path / "rules.toml").write_text(proposal.rules_file(rules, 0.8))
    catalogue = load_roles(tmp_path / "roles.toml")
    assert catalogue.names == ("ele", "Network", "plu")
    found = catalogue.of_group("plant", "NET")
    assert found is not None
    assert found.name == "Network"
    assert "vpn" in found.description
    assert ":" not in found.description, "the desk's own words and no other: it may be French"
    text = (tmp_path / "roles.toml").read_text().replace('name = "Network"', 'name = "Network & VPN"')
    (tmp_path / "renamed.toml").write_text(text)
    assert load_roles(tmp_path / "renamed.toml").today(["Network"]) == ("Network & VPN",), "the history is not lost"
    ruleset = load_rules(tmp_path / "rules.toml", catalogue)
    assert {hit.role for hit in ruleset.match("my VPN drops", "", datetime.now(UTC).date())} == {"Network"}
    assert '# groups = { plant = "new" }' in (tmp_path / "roles.toml").read_text()


def test_rules_are_measured_on_tickets_that_they_were_not_mined_from() -> None:
    lucky = [ticket(n, f"printer {n}", "net" if n < 40 else "ele") for n in range(60)]
    other = [ticket(n, f"light {n}", "ele") for n in range(60)]
    tickets = sorted([*lucky, *other], key=lambda t: t.closed_at or datetime.max)
    rules, _ = proposal.mined(tickets, proposal.roles({"net": 40, "ele": 80}))
    printer = next(rule for rule in rules if '"printer"' in rule.toml)
    assert (printer.role, printer.right) == (
        "net",
        0 + sum(t.group == "net" for t in tickets[84:] if "printer" in t.subject),
    )
    assert not printer.good(0.8)
    text = proposal.rules_file(rules, 0.8)
    assert '# keywords = ["printer"]' in text
    assert f"net: right on {printer.right} of {printer.tickets} newer tickets" in text


def test_of_rules_that_hit_no_newer_ticket_the_strongest_are_kept() -> None:
    """The alphabet chose them, so that a role was described by "avec, dans, je" where its tickets speak of mail."""
    once = "bcdefghijklmnopq"
    said = [f"aa{once[n // 4]} mail {each}x" if n % 2 else f"road {each}x" for n, each in enumerate(once)]
    old = [ticket(n, text, "net" if n % 2 else "ele") for n, text in enumerate(said)]
    new = [ticket(100 + n, f"other {once[n]}y", "net" if n % 2 else "ele") for n in range(7)]
    rules, roles = proposal.mined([*old, *new], proposal.roles({"net": 20, "ele": 20}))
    weights = [float(tomllib.loads(one.toml)["rule"][0]["weight"]) for one in rules if one.role == "net"]
    assert len(weights) > 1
    assert weights == sorted(weights, reverse=True)
    assert {one.name: one.words[0] for one in roles} == {"net": "mail", "ele": "road"}


def test_whatever_groups_are_called_the_roles_can_be_loaded(tmp_path: Path) -> None:
    roles = proposal.roles(dict.fromkeys(HOSTILE, 9))
    (tmp_path / "roles.toml").write_text(proposal.roles_file("plant", roles))
    catalogue = load_roles(tmp_path / "roles.toml")
    assert len(catalogue.names) == len(HOSTILE)
    for group in HOSTILE:
        assert catalogue.of_group("plant", group) is not None


def test_without_any_history_there_is_nothing_to_propose_but_what_people_name(tmp_path: Path) -> None:
    assert proposal.mined([], []) == ([], [])
    _, roles = proposal.mined([], proposal.roles({}, {"net": "Network"}))
    (tmp_path / "roles.toml").write_text(proposal.roles_file("plant", roles))
    assert load_roles(tmp_path / "roles.toml").names == ("Network",)


@pytest.mark.parametrize(
    ("public_url", "port"),
    [("http://127.0.0.1:8941", 8941), ("http://[::1]:8941/", 8941), ("https://127.0.0.1:8941", 8080)],
)
def test_a_server_without_anything_between_listens_where_webhooks_go(
    tmp_path: Path, public_url: str, port: int
) -> None:
    text = proposal.settings_file("", "", shadow=True, public_url=public_url)
    (tmp_path / "agent.toml").write_text(text)
    assert load(tmp_path / "agent.toml", {}, None).server.port == port


def test_the_language_stands_above_every_table() -> None:
    shipped = (CONFIG / "agent.toml").read_text("utf-8")
    for before in (shipped, "", "[server]\nport = 1\n", 'log_format = "json"\n'):
        text = proposal.settings_file(before, "[connectors.plant]\n", shadow=True, public_url=None, language="de")
        assert tomllib.loads(text)["language"] == "de"


@pytest.mark.parametrize("shipped", [(CONFIG / "agent.toml").read_text("utf-8"), ""])
def test_the_settings_connect_the_system_in_shadow_mode(tmp_path: Path, shipped: str) -> None:
    given = {"url": "https://desk.example.test", "staff": ["3"], "queues": {"1": "HYD", "2": "a b"}}
    table = proposal.connector_table("plant-2", "django-helpdesk", given)
    text = proposal.settings_file(shipped, table, shadow=True, public_url="https://rolecall.example.test")
    file = tmp_path / "agent.toml"
    file.write_text(text)
    environ = {
        "ROLECALL_CONNECTORS__PLANT_2__TOKEN": "t",
        "ROLECALL_CONNECTORS__PLANT_2__WEBHOOK_SECRETS": '["sixteen-letters-x"]',
    }
    settings = load(file, environ, None)
    assert (settings.ladder.start, settings.triage.shadow) == ("shadow", False)
    assert settings.server.public_url == "https://rolecall.example.test"
    chosen = settings.connectors["plant-2"]
    assert (chosen.kind, chosen.settings.queues) == ("django-helpdesk", {"1": "HYD", "2": "a b"})
    assert tomllib.loads(text)["connectors"]["plant-2"]["staff"] == ["3"]
