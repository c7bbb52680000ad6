"""`rolecall secrets check` names sources, never values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.cli import app
from tests.stubs import infisical as stubs

TOKEN = "ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN"
HOOKS = "ROLECALL_CONNECTORS__DJANGO_HELPDESK__WEBHOOK_SECRETS"
HELPDESK = '[connectors.django-helpdesk]\nurl = "https://desk.example"\nauthor_id = 2\n'


@pytest.fixture
def vault() -> Iterator[stubs.Infisical]:
    with stubs.infisical() as stub:
        stub.folders["/"] = {TOKEN: "from-vault", HOOKS: '["0123456789abcdef"]'}
        yield stub


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(text: str, **environ: str) -> Result:
    Path("agent.toml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["secrets", "check", "--config", "agent.toml"], env=environ)


def test_each_secret_is_named_with_its_source_and_those_that_it_hides(vault: stubs.Infisical) -> None:
    done = check(HELPDESK, **vault.variables, **{TOKEN: "from-environment"})
    assert done.exit_code == 0, done.output
    assert f"{TOKEN} ← environment, {TOKEN} (hides Infisical desk/prod/, {TOKEN})" in done.output
    assert f"{HOOKS} ← Infisical desk/prod/, {HOOKS}" in done.output
    shown = [v for v in ("from-vault", "from-environment", "0123456789abcdef", vault.client_secret) if v in done.output]
    assert shown == []


def test_a_source_that_fails_is_told_and_the_others_are_shown_all_the_same(vault: stubs.Infisical) -> None:
    vault.client_secret = "renewed"
    done = check(HELPDESK, **vault.variables | {"SECRET_CLIENT_SECRET": "stale"}, **{TOKEN: "t"})
    assert done.exit_code == 1
    assert "FAIL infisical: " in done.output
    assert f"{TOKEN} ← environment" in done.output
    assert "stale" not in done.output


def test_a_missing_secret_is_told_by_its_setting() -> None:
    done = check(HELPDESK, **{TOKEN: "t"})
    assert done.exit_code == 1
    assert "connectors.django-helpdesk.webhook_secrets: key 'webhook_secrets' is missing" in done.output
    assert f"or set {HOOKS}" in done.output


def test_a_secret_in_the_settings_file_and_a_readable_dotenv_are_warned_about(folder: Path) -> None:
    (folder / ".env").write_text(f'{HOOKS}=["0123456789abcdef"]\n')
    (folder / ".env").chmod(0o644)
    done = check(HELPDESK + 'token = "written-down"\n')
    assert "warn connectors.django-helpdesk.token stands in the settings file" in done.output
    assert "warn .env can be read by others on this machine: chmod 600 .env" in done.output
    assert "written-down" not in done.output


def test_a_secret_in_the_table_of_a_named_connector_is_warned_about() -> None:
    named = HELPDESK.replace("django-helpdesk", "plant-2") + 'kind = "django-helpdesk"\ntoken = "written-down"\n'
    done = check(named, ROLECALL_CONNECTORS__PLANT_2__WEBHOOK_SECRETS='["0123456789abcdef"]')
    assert (done.exit_code, "warn connectors.plant-2.token stands in the settings file" in done.output) == (0, True)


def test_a_reference_in_the_settings_file_is_as_it_should_be() -> None:
    done = check(HELPDESK + 'token = "secret:DESK"\n', DESK="t", **{HOOKS: '["0123456789abcdef"]'})
    assert (done.exit_code, "warn" in done.output) == (0, False), done.output


def test_the_key_of_the_model_api_is_listed_like_any_secret(vault: stubs.Infisical) -> None:
    vault.folders["/"] |= {"API_KEY": "key-from-vault-of-many-letters"}
    done = check(HELPDESK, **vault.variables, API_KEY="key-of-the-environment")
    assert "API_KEY ← environment, API_KEY (hides Infisical desk/prod/, API_KEY)" in done.output
    assert "key-" not in done.output
