"""Settings come from file, .env and environment, and every fault is told at once with its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config.loading import load
from agent.errors import SettingsError

SHIPPED = Path(__file__).parents[3] / "config/agent.toml"
HELPDESK = '[connectors.django-helpdesk]\nurl = "https://desk.example"\nauthor_id = 2\n'
SECRETS = {
    "ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN": "s3cret-token",
    "ROLECALL_CONNECTORS__DJANGO_HELPDESK__WEBHOOK_SECRETS": '["0123456789abcdef"]',
}


def write(folder: Path, text: str) -> Path:
    file = folder / "agent.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_shipped_file_holds_nothing_but_defaults() -> None:
    settings = load(SHIPPED, {}, None)
    assert settings.learning.split == (70, 15, 15)
    assert settings.rules == SHIPPED.parent / "rules.toml"
    assert settings.connectors == {}


def test_the_environment_overrides_dotenv_and_dotenv_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "[server]\nhost = 'a'\nport = 1\n[learning]\nwindow = 10\n")
    dotenv = tmp_path / ".env"
    dotenv.write_text("ROLECALL_SERVER__PORT=2\nROLECALL_LEARNING__WINDOW=20\n")
    settings = load(file, {"ROLECALL_LEARNING__WINDOW": "30"}, dotenv)
    assert (settings.server.host, settings.server.port, settings.learning.window) == ("a", 2, 30)


def test_the_command_line_overrides_everything(tmp_path: Path) -> None:
    settings = load(write(tmp_path, ""), {"ROLECALL_SERVER__PORT": "1"}, None, {"server.port": 3, "data": "d"})
    assert (settings.server.port, settings.data) == (3, Path("d"))


def test_every_fault_is_told_at_once_with_its_source(tmp_path: Path) -> None:
    file = write(tmp_path, "[server]\nport = 99999\n[learning]\nsplit = [70, 20, 20]\nwindoww = 3\n[nonsense]\nx = 1\n")
    with pytest.raises(SettingsError) as caught:
        load(file, {"ROLECALL_INTAKE__MAX_WAITING": "many"}, None)
    told = {fault.setting: fault.source for fault in caught.value.faults}
    assert told == {
        "server.port": str(file),
        "learning.split": str(file),
        "learning.windoww": str(file),
        "nonsense": str(file),
        "intake.max_waiting": "environment, ROLECALL_INTAKE__MAX_WAITING",
    }


def test_a_connector_without_its_secrets_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(write(tmp_path, HELPDESK), {}, None)
    told = {fault.setting for fault in caught.value.faults}
    assert told == {"connectors.django-helpdesk.token", "connectors.django-helpdesk.webhook_secrets"}


def test_a_connector_takes_its_secrets_from_the_environment(tmp_path: Path) -> None:
    helpdesk = load(write(tmp_path, HELPDESK), SECRETS, None).connectors["django-helpdesk"]
    assert (helpdesk.token, helpdesk.webhook_secrets) == ("s3cret-token", ("0123456789abcdef",))


def test_no_fault_repeats_a_secret(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(write(tmp_path, HELPDESK), SECRETS | {"ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN": "top secret é"}, None)
    assert "top secret" not in str(caught.value)


def test_an_unknown_connector_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such connector; there is django-helpdesk"):
        load(write(tmp_path, "[connectors.zzz]\nurl = 'x'\n"), {}, None)


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        load(tmp_path / "none.toml", {}, None)
    with pytest.raises(SettingsError, match="line 1"):
        load(write(tmp_path, "= 3"), {}, None)
