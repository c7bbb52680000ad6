"""All sources together: their order, their memory, and what settings make of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.config.loading import load
from agent.config.secrets import Secrets
from agent.config.settings import Settings
from agent.errors import SettingsError
from tests.stubs import infisical as stubs

TOKEN = "ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN"
HOOKS = "ROLECALL_CONNECTORS__DJANGO_HELPDESK__WEBHOOK_SECRETS"
HELPDESK = '[connectors.django-helpdesk]\nurl = "https://desk.example"\nauthor_id = 2\n'
HOOK = "0123456789abcdef"


@pytest.fixture
def vault() -> Iterator[stubs.Infisical]:
    with stubs.infisical() as stub:
        stub.folders["/"] = {TOKEN: "from-vault", HOOKS: f'["{HOOK}"]'}
        yield stub


def write(folder: Path, text: str) -> Path:
    file = folder / "agent.toml"
    file.write_text(text, encoding="utf-8")
    return file


def token(settings: Settings) -> str:
    return str(settings.connectors["django-helpdesk"].settings.token)


def test_the_environment_wins_over_dotenv_over_files_over_the_vault(tmp_path: Path, vault: stubs.Infisical) -> None:
    file, dotenv, mounted = write(tmp_path, HELPDESK), tmp_path / ".env", tmp_path / "run"
    mounted.mkdir()
    environ = vault.variables | {
        "ROLECALL_SECRETS__SOURCES": '["files", "infisical"]',
        "ROLECALL_SECRETS__FILES": str(mounted),
    }
    seen = [token(load(file, environ, dotenv))]
    (mounted / TOKEN.lower()).write_text("from-file\n")
    seen.append(token(load(file, environ, dotenv)))
    dotenv.write_text(f"{TOKEN}=from-dotenv\n")
    seen.append(token(load(file, environ, dotenv)))
    seen.append(token(load(file, environ | {TOKEN: "from-environment"}, dotenv)))
    assert seen == ["from-vault", "from-file", "from-dotenv", "from-environment"]


def test_a_name_left_empty_hides_nothing(tmp_path: Path, vault: stubs.Infisical) -> None:
    (tmp_path / ".env").write_text(f"{TOKEN}=\n")
    settings = load(write(tmp_path, HELPDESK), vault.variables | {TOKEN: ""}, tmp_path / ".env")
    assert token(settings) == "from-vault"


def test_the_vaults_own_credentials_may_come_from_files(tmp_path: Path, vault: stubs.Infisical) -> None:
    mounted = tmp_path / "run"
    mounted.mkdir()
    for name, value in vault.variables.items():
        if name.startswith("SECRET_"):
            (mounted / name).write_text(value)
    table = f'[secrets]\nsources = ["files", "infisical"]\nfiles = "{mounted}"\ninfisical_host = "{vault.url}"\n'
    assert token(load(write(tmp_path, table + HELPDESK), {}, None)) == "from-vault"


def test_a_setting_may_refer_to_a_secret_by_the_name_that_it_has(tmp_path: Path, vault: stubs.Infisical) -> None:
    vault.folders["/"] = {"DESK_TOKEN": "t", "HOOK_NEW": "n" * 16, "HOOK_OLD": "o" * 16}
    text = HELPDESK + 'token = "secret:DESK_TOKEN"\nwebhook_secrets = ["secret:HOOK_NEW", "secret:HOOK_OLD"]\n'
    helpdesk = load(write(tmp_path, text), vault.variables, None).connectors["django-helpdesk"].settings
    assert (helpdesk.token, helpdesk.webhook_secrets) == ("t", ("n" * 16, "o" * 16))


def test_every_reference_that_no_source_has_is_named_at_once(tmp_path: Path) -> None:
    text = HELPDESK + 'token = "secret:ONE"\nwebhook_secrets = ["secret:TWO"]\n'
    with pytest.raises(SettingsError) as caught:
        load(write(tmp_path, text), {}, None)
    told = {fault.setting: fault.message for fault in caught.value.faults}
    assert told == {
        "connectors.django-helpdesk.token": "no source has the secret ONE",
        "connectors.django-helpdesk.webhook_secrets.0": "no source has the secret TWO",
    }


def test_a_faulty_secret_is_told_with_its_source_and_without_its_value(tmp_path: Path, vault: stubs.Infisical) -> None:
    vault.folders["/"][HOOKS] = '["too-short"]'
    with pytest.raises(SettingsError) as caught:
        load(write(tmp_path, HELPDESK), vault.variables, None)
    assert [fault.source for fault in caught.value.faults] == [f"Infisical desk/prod/, {HOOKS}"]
    assert "too-short" not in str(caught.value)


def test_an_outage_at_the_start_is_a_fault_that_names_the_source(tmp_path: Path, vault: stubs.Infisical) -> None:
    vault.faults = [stubs.refusal(403, "PermissionDenied", "no")] * 2
    with pytest.raises(SettingsError, match=r"infisical: secrets: .*may not read"):
        load(write(tmp_path, HELPDESK), vault.variables, None)


def test_an_outage_later_keeps_the_last_values_and_says_so(tmp_path: Path, vault: stubs.Infisical) -> None:
    file, memory = write(tmp_path, HELPDESK), Secrets()
    load(file, vault.variables, None, secrets=memory)
    vault.faults = [stubs.refusal(400, "BadRequest", "no")]
    with capture_logs() as logs:
        assert token(load(file, vault.variables, None, secrets=memory)) == "from-vault"
    assert [entry["event"] for entry in logs] == ["secrets_kept"]
    assert "from-vault" not in str(logs)
    vault.folders["/"][TOKEN] = "rotated"
    assert token(load(file, vault.variables, None, secrets=memory)) == "rotated"


def test_new_credentials_open_the_vault_anew(tmp_path: Path, vault: stubs.Infisical) -> None:
    file, memory = write(tmp_path, HELPDESK), Secrets()
    load(file, vault.variables, None, secrets=memory)
    vault.client_secret = "renewed"
    vault.expire_tokens()
    assert token(load(file, vault.variables, None, secrets=memory)) == "from-vault"
    assert vault.logins == 2


def test_faults_of_the_secrets_table_are_told_with_their_source(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(write(tmp_path, "[secrets]\nrefresh_seconds = 0\n"), {"ROLECALL_SECRETS__SOURCES": '["vault"]'}, None)
    told = {fault.setting.removesuffix(".0"): fault.source for fault in caught.value.faults}
    assert told == {
        "secrets.refresh_seconds": str(tmp_path / "agent.toml"),
        "secrets.sources": "environment, ROLECALL_SECRETS__SOURCES",
    }


def test_the_azure_source_needs_a_vault(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="needs azure_vault"):
        load(write(tmp_path, '[secrets]\nsources = ["azure"]\n'), {}, None)


def test_settings_never_show_a_connectors_secrets(tmp_path: Path, vault: stubs.Infisical) -> None:
    settings = load(write(tmp_path, HELPDESK), vault.variables, None)
    assert "from-vault" not in f"{settings!r} {settings}"
    assert HOOK not in f"{settings!r} {settings}"
