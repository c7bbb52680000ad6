"""Infisical: all secrets of one folder of one environment, read as a machine identity with Universal Auth.

Source: https://infisical.com/docs/documentation/platform/identities/universal-auth and the package infisicalsdk, which
neither sets a time-out nor retries temporary refusals; both are added here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter
from tenacity.wait import wait_base

from agent.config.secrets.source import Found, SourceFailed, is_wanted

if TYPE_CHECKING:
    from infisical_sdk import InfisicalSDKClient, ListSecretsResponse

NAME = "infisical"
CREDENTIALS = ("SECRET_CLIENT_ID", "SECRET_CLIENT_SECRET", "SECRET_PROJECT_SLUG", "SECRET_ENVIRONMENT_SLUG")
FOLDER = "SECRET_PATH"
NAMES = (*CREDENTIALS, FOLDER)

ATTEMPTS = 4
WAIT = wait_exponential_jitter(initial=1, max=10)
_REFUSED_FOR_A_WHILE = frozenset({408, 429, 500, 502, 503, 504})
_TOKEN_EXPIRED = frozenset({401, 403})
_REASONS = {
    400: "the request is not accepted: look at SECRET_PROJECT_SLUG, SECRET_ENVIRONMENT_SLUG and SECRET_PATH",
    401: "SECRET_CLIENT_ID with SECRET_CLIENT_SECRET is not accepted, or expired",
    403: "this machine identity may not read there, or not from this address",
    404: "there is no such project, environment or folder (SECRET_PROJECT_SLUG, SECRET_ENVIRONMENT_SLUG, SECRET_PATH)",
    429: "too many requests (rate limit)",
}


@dataclass(frozen=True, slots=True)
class Access:
    """The machine identity, and the folder that it reads."""

    host: str
    client_id: str
    client_secret: str = field(repr=False)
    project: str
    environment: str
    folder: str

    @classmethod
    def from_values(cls, host: str, values: Mapping[str, Found]) -> Access:
        """Return the access made of the SECRET_... values. Raises SourceFailed, naming every missing one."""
        missing = [name for name in CREDENTIALS if name not in values or not values[name].value]
        if missing:
            raise SourceFailed(NAME, f"not set: {', '.join(missing)}")
        identity, secret, project, environment = (values[name].value for name in CREDENTIALS)
        folder = values[FOLDER].value if FOLDER in values else "/"
        return cls(host, identity, secret, project, environment, folder or "/")

    def __str__(self) -> str:
        return f"Infisical {self.project}/{self.environment}{self.folder}"


class Infisical:
    """One folder of secrets. Stays logged in between reads, and logs in again when the token has expired."""

    name = NAME

    def __init__(self, access: Access, timeout_seconds: float, wait: wait_base = WAIT) -> None:
        self._access = access
        self._timeout_seconds = timeout_seconds
        self._wait = wait
        self._client: InfisicalSDKClient | None = None

    def read(self, also: Collection[str]) -> Mapping[str, Found]:
        """Return the folder's secrets; one of the folder itself wins over one that it imports. Raises SourceFailed."""
        from infisical_sdk import InfisicalError
        from infisical_sdk.infisical_requests import APIError
        from requests import RequestException

        try:
            listed = self._retrying()(self._list)
        except APIError as error:
            reason = _REASONS.get(error.status_code, f"answered {error.status_code}")
            raise SourceFailed(NAME, f"{self._access.host}: {reason}") from None
        except RequestException as error:
            raise SourceFailed(NAME, f"{self._access.host}: {type(error).__name__}") from None
        except (InfisicalError, ValueError, TypeError, KeyError, AttributeError):  # how the SDK fails on other answers
            raise SourceFailed(NAME, f"{self._access.host}: the answer is not Infisical's") from None
        return self._found(listed, also)

    def _list(self) -> ListSecretsResponse:
        from infisical_sdk.infisical_requests import APIError

        if self._client is None:
            self._client = self._login()
            return self._list_as(self._client)
        try:
            return self._list_as(self._client)
        except APIError as error:
            if error.status_code not in _TOKEN_EXPIRED:
                raise
            self._client = None
            self._client = self._login()
            return self._list_as(self._client)

    def _login(self) -> InfisicalSDKClient:
        from infisical_sdk import InfisicalSDKClient

        client = InfisicalSDKClient(self._access.host, cache_ttl=None)
        _limit(client.api.session, self._timeout_seconds)
        client.auth.universal_auth.login(self._access.client_id, self._access.client_secret)
        return client

    def _list_as(self, client: InfisicalSDKClient) -> ListSecretsResponse:
        access = self._access
        return client.secrets.list_secrets(access.environment, access.folder, project_slug=access.project)

    def _retrying(self) -> Retrying:
        return Retrying(
            retry=retry_if_exception(lambda e: getattr(e, "status_code", None) in _REFUSED_FOR_A_WHILE),
            stop=stop_after_attempt(ATTEMPTS),
            wait=self._wait,
            reraise=True,
        )

    def _found(self, listed: ListSecretsResponse, also: Collection[str]) -> dict[str, Found]:
        rows = [row for group in reversed(listed.imports) for row in map(_row, group.secrets)]
        rows += map(_row, listed.secrets)
        found: dict[str, Found] = {}
        for name, value, hidden in rows:
            if is_wanted(name, also):
                if hidden:
                    raise SourceFailed(NAME, f"{self._access}: this machine identity may see {name}, not its value")
                found[name] = Found(value, f"{self._access}, {name}")
        return found


def _row(secret: Any) -> tuple[str, str, bool]:
    """Return name, value and whether the value is hidden. Imported secrets reach us as plain dictionaries."""
    fields = secret if isinstance(secret, dict) else vars(secret)
    return str(fields["secretKey"]), str(fields["secretValue"]), bool(fields.get("secretValueHidden"))


def _limit(session: Any, timeout_seconds: float) -> None:
    """Set a time-out on every request of the session: the SDK passes none to its HTTP library."""
    from requests.adapters import HTTPAdapter

    class Limited(HTTPAdapter):
        def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override]
            return super().send(request, **options | {"timeout": timeout_seconds})

    for scheme in ("http://", "https://"):
        session.mount(scheme, Limited())
