"""Azure Key Vault through Microsoft's own packages, against a vault and an Entra ID on loopback."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.config.secrets import SourceFailed
from agent.config.secrets.azure import KeyVault, open_vault
from tests.stubs import key_vault as stubs
from tests.stubs.server import Reply

pytest.importorskip("azure.identity", reason="the extra `azure` is not installed")

TOKEN = "ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN"
VAULT_TOKEN = "rolecall-connectors--django-helpdesk--token"


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[stubs.KeyVault]:
    with stubs.key_vault(tmp_path) as stub:
        stub.put(VAULT_TOKEN, "t0p")
        stub.put("Helpdesk-Key", "h")
        stub.put("unrelated", "u")
        yield stub


def source(vault: stubs.KeyVault) -> KeyVault:
    from azure.identity import ClientSecretCredential

    credential = ClientSecretCredential(
        stubs.TENANT,
        stubs.CLIENT_ID,
        vault.client_secret,
        authority=vault.url,
        disable_instance_discovery=True,
        connection_verify=vault.ca_file,
    )
    options = {"connection_verify": vault.ca_file, "verify_challenge_resource": False, "retry_backoff_factor": 0}
    return open_vault(vault.url, 5, credential, **options)


def values(source: KeyVault, *also: str) -> dict[str, str]:
    return {name: found.value for name, found in source.read(also).items()}


def test_secrets_are_found_under_names_with_dashes(vault: stubs.KeyVault) -> None:
    found = source(vault).read({"HELPDESK_KEY"})
    assert {name: f.value for name, f in found.items()} == {TOKEN: "t0p", "HELPDESK_KEY": "h"}
    assert found[TOKEN].origin == f"Azure Key Vault {vault.url}, {VAULT_TOKEN}"
    assert "unrelated" not in vault.fetched


def test_only_what_was_updated_is_fetched_again(vault: stubs.KeyVault) -> None:
    reader = source(vault)
    values(reader, "HELPDESK_KEY")
    vault.put(VAULT_TOKEN, "rotated")
    vault.fetched.clear()
    assert values(reader, "HELPDESK_KEY") == {TOKEN: "rotated", "HELPDESK_KEY": "h"}
    assert vault.fetched == [VAULT_TOKEN]


def test_disabled_and_expired_secrets_do_not_count(vault: stubs.KeyVault) -> None:
    vault.disabled, vault.expired = {VAULT_TOKEN}, {"Helpdesk-Key"}
    assert values(source(vault), "HELPDESK_KEY") == {}


def test_throttling_is_waited_out(vault: stubs.KeyVault) -> None:
    vault.faults = [Reply(429, stubs.error("Throttled", "slow down"), {"Retry-After": "0"})]
    assert values(source(vault)) == {TOKEN: "t0p"}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Reply(403, stubs.error("Forbidden", "Caller is not authorized")), "Key Vault Secrets User"),
        (Reply(400, stubs.error("BadParameter", "no")), "answered 400"),
    ],
)
def test_a_refusal_is_told_in_our_words(vault: stubs.KeyVault, fault: Reply, reason: str) -> None:
    vault.faults = [fault]
    with pytest.raises(SourceFailed, match=reason):
        source(vault).read(())


def test_a_wrong_client_secret_is_told_without_it(vault: stubs.KeyVault) -> None:
    reader, vault.client_secret = source(vault), "renewed"
    with pytest.raises(SourceFailed, match="no identity found to log in with") as caught:
        reader.read(())
    assert "entra-secret" not in "".join(traceback.format_exception(caught.value))


def test_a_vault_that_is_not_there_is_told(tmp_path: Path) -> None:
    with stubs.key_vault(tmp_path) as gone:
        reader = source(gone)
    with pytest.raises(SourceFailed, match="ServiceRequestError"):
        reader.read(())
