"""Infisical through its own SDK, against a server on loopback that answers as Infisical documents."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from tenacity import wait_none

from agent.config.secrets import Found, SourceFailed
from agent.config.secrets.infisical import ATTEMPTS, NAMES, Access, Infisical
from tests.stubs import infisical as stubs
from tests.stubs.server import Asked, Reply, serving

TOKEN = "ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN"
TIMEOUT_SECONDS = 5.0


@pytest.fixture
def server() -> Iterator[stubs.Infisical]:
    with stubs.infisical() as stub:
        stub.folders["/"] = {TOKEN: "t0p", "HELPDESK": "h", "UNRELATED": "u"}
        yield stub


@pytest.fixture(autouse=True)
def impatient_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the SDK try again at once where a server cannot be reached: it waits 15 s otherwise."""
    monkeypatch.setattr("infisical_sdk.infisical_requests.time", SimpleNamespace(sleep=lambda _: None))


def access(server: stubs.Infisical, **other: str) -> Access:
    given = server.variables | other
    return Access.from_values(server.url, {name: Found(given[name], "test") for name in NAMES})


def source(server: stubs.Infisical, **other: str) -> Infisical:
    return Infisical(access(server, **other), TIMEOUT_SECONDS, wait_none())


def values(source: Infisical, *also: str) -> dict[str, str]:
    return {name: found.value for name, found in source.read(also).items()}


def test_settings_and_referenced_secrets_are_read(server: stubs.Infisical) -> None:
    found = source(server).read({"HELPDESK"})
    assert {name: f.value for name, f in found.items()} == {TOKEN: "t0p", "HELPDESK": "h"}
    assert found[TOKEN].origin == f"Infisical desk/prod/, {TOKEN}"


def test_a_folder_wins_over_what_it_imports(server: stubs.Infisical) -> None:
    server.folders["/shared"] = {TOKEN: "imported", "ROLECALL_DATABASE_URL": "postgresql://x"}
    server.imports["/"] = ["/shared"]
    assert values(source(server)) == {TOKEN: "t0p", "ROLECALL_DATABASE_URL": "postgresql://x"}


def test_later_reads_use_the_same_login_and_see_new_values(server: stubs.Infisical) -> None:
    reader = source(server)
    assert values(reader)[TOKEN] == "t0p"
    server.folders["/"][TOKEN] = "rotated"
    assert values(reader)[TOKEN] == "rotated"
    assert (server.logins, server.reads) == (1, 2)


def test_an_expired_token_is_replaced_by_logging_in_again(server: stubs.Infisical) -> None:
    reader = source(server)
    values(reader)
    server.expire_tokens()
    assert values(reader)[TOKEN] == "t0p"
    assert server.logins == 2


def test_a_rate_limit_and_a_short_outage_are_waited_out(server: stubs.Infisical) -> None:
    server.faults = [
        stubs.refusal(429, "RateLimitExceeded", "Rate limit exceeded. Please try again in 12 seconds"),
        stubs.refusal(503, "ServiceUnavailable", "upstream"),
    ]
    assert values(source(server))[TOKEN] == "t0p"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (stubs.refusal(429, "RateLimitExceeded", "slow down"), "rate limit"),
        (stubs.refusal(500, "InternalServerError", "boom"), "answered 500"),
        (Reply(200, b"<html>a proxy's page</html>"), "not Infisical's"),
        (Reply(200, ["neither"]), "not Infisical's"),
        (Reply(400, ["no", "message"]), "not Infisical's"),
        (Reply(418, {"message": ["a", "list"]}), "answered 418"),
    ],
)
def test_a_lasting_fault_is_told_in_our_words(server: stubs.Infisical, fault: Reply, reason: str) -> None:
    server.faults = [fault] * ATTEMPTS
    with pytest.raises(SourceFailed, match=reason):
        source(server).read(())


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"SECRET_CLIENT_SECRET": "guessed-secret"}, "SECRET_CLIENT_ID with SECRET_CLIENT_SECRET is not accepted"),
        ({"SECRET_PROJECT_SLUG": "other"}, "no such project, environment or folder"),
        ({"SECRET_PATH": "/none"}, "no such project, environment or folder"),
    ],
)
def test_wrong_settings_are_told_by_name_and_never_by_value(
    server: stubs.Infisical, wrong: dict[str, str], reason: str
) -> None:
    with pytest.raises(SourceFailed, match=reason) as caught:
        source(server, **wrong).read(())
    told = "".join(traceback.format_exception(caught.value))
    assert "guessed-secret" not in told
    assert server.client_secret not in told


def test_a_value_that_may_not_be_seen_is_not_taken_for_a_secret(server: stubs.Infisical) -> None:
    server.hidden = {TOKEN}
    with pytest.raises(SourceFailed, match=f"may see {TOKEN}, not its value"):
        source(server).read(())


def test_a_server_that_is_not_there_is_told() -> None:
    with stubs.infisical() as gone:
        reader = source(gone)
    with pytest.raises(SourceFailed, match="ConnectionError"):
        reader.read(())


def test_a_server_that_never_answers_is_given_up() -> None:
    release = threading.Event()

    def hang(_: Asked) -> Reply:
        release.wait(30)
        return Reply(500)

    with serving(hang) as url:
        given = stubs.Infisical(url=url)
        try:
            with pytest.raises(SourceFailed, match="ReadTimeout"):
                Infisical(access(given), 0.05, wait_none()).read(())
        finally:
            release.set()


def test_all_missing_credentials_are_named_at_once() -> None:
    with pytest.raises(SourceFailed, match=r"not set: SECRET_CLIENT_SECRET, SECRET_ENVIRONMENT_SLUG$"):
        Access.from_values("https://x", {n: Found("v", "") for n in ("SECRET_CLIENT_ID", "SECRET_PROJECT_SLUG")})


def test_no_representation_shows_the_client_secret(server: stubs.Infisical) -> None:
    given = access(server)
    assert server.client_secret not in f"{given!r} {given} {Infisical(given, 1)!r}"
    assert "hush" not in repr(Found("hush", "x"))
