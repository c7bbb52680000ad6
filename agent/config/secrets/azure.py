"""Azure Key Vault, through Microsoft's own client (optional extra `azure`).

Vault names may hold letters, digits and dashes only: the secret ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN is called
`rolecall-connectors--django-helpdesk--token` there. The identity is found by `DefaultAzureCredential`: a managed
identity, a workload identity, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET in the environment. The
identity needs the role "Key Vault Secrets User".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent.config.secrets.source import Found, SourceFailed, is_wanted

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretClient, SecretProperties

NAME = "azure"
RETRIES = 3
_REASONS = {
    401: "the identity was rejected (401)",
    403: 'this identity may not read secrets (it needs the role "Key Vault Secrets User"), or not from this address',
    404: "there is no such vault",
    429: "too many requests (429)",
}


class KeyVault:
    """One vault. A value is fetched again only if the vault reports that it was updated."""

    name = NAME

    def __init__(self, client: SecretClient) -> None:
        self._client = client
        self._known: dict[str, tuple[datetime | None, str]] = {}

    def read(self, also: Collection[str]) -> Mapping[str, Found]:
        """Return the vault's secrets that are enabled and within their dates. Raises SourceFailed."""
        from azure.core.exceptions import AzureError, HttpResponseError

        try:
            return self._read(also)
        except HttpResponseError as error:
            status = error.status_code
            reason = _REASONS.get(status, f"answered {status}") if status else "no identity found to log in with"
            raise SourceFailed(NAME, f"{self._client.vault_url}: {reason}") from None
        except AzureError as error:
            raise SourceFailed(NAME, f"{self._client.vault_url}: {type(error).__name__}") from None

    def _read(self, also: Collection[str]) -> dict[str, Found]:
        by_vault_name = {_plain(name): name for name in also}
        found: dict[str, Found] = {}
        for properties in self._client.list_properties_of_secrets():
            vault_name = properties.name or ""
            name = by_vault_name.get(_plain(vault_name), _plain(vault_name))
            if is_wanted(name, also) and _is_valid(properties, datetime.now(UTC)):
                value = self._value(vault_name, properties.updated_on)
                origin = f"Azure Key Vault {self._client.vault_url}, {vault_name}"
                found[name] = Found(value, origin, properties.expires_on)
        return found

    def _value(self, vault_name: str, updated_on: datetime | None) -> str:
        known = self._known.get(vault_name)
        if known is None or known[0] != updated_on or updated_on is None:
            known = updated_on, self._client.get_secret(vault_name).value or ""
            self._known[vault_name] = known
        return known[1]


def open_vault(url: str, timeout_seconds: float, credential: Any = None, **options: Any) -> KeyVault:
    """Return the vault; `options` go to Microsoft's client. Raises SourceFailed if the extra is not installed."""
    try:
        from azure.identity import DefaultAzureCredential
        from azure.keyvault.secrets import SecretClient
    except ImportError:
        raise SourceFailed(NAME, "its client is not installed: pip install 'rolecall[azure]'") from None
    limits = {"connection_timeout": timeout_seconds, "read_timeout": timeout_seconds, "retry_total": RETRIES}
    return KeyVault(SecretClient(url, credential or DefaultAzureCredential(), **limits | options))


def _plain(name: str) -> str:
    return name.replace("-", "_").upper()


def _is_valid(properties: SecretProperties, now: datetime) -> bool:
    begun = properties.not_before is None or properties.not_before <= now
    ended = properties.expires_on is not None and properties.expires_on <= now
    return bool(properties.enabled) and begun and not ended
