"""What `serve` says at a terminal once it listens."""

from __future__ import annotations

import pytest

from agent.config.settings import ConnectorSettings, Settings
from agent.web.greeting import greeting, webhooks
from agent.web.running import local_url
from connectors.django_helpdesk import DjangoHelpdeskSettings

HOOK = "s" * 24
PLANT = ConnectorSettings(
    "django-helpdesk",
    DjangoHelpdeskSettings(url="https://desk.example", token="a-token", author_id="2", webhook_secrets=(HOOK,)),
)
HERE = "http://127.0.0.1:8080"


def settings(**sections: object) -> Settings:
    return Settings.model_validate(sections).model_copy(update={"connectors": {"plant-2": PLANT}})


def test_it_names_what_is_connected_where_webhooks_go_and_where_to_look() -> None:
    said = "\n".join(greeting(settings(server={"public_url": "https://rolecall.example.org/base/"}), HERE))
    assert "plant-2: django-helpdesk at https://desk.example; its webhooks go to " in said
    assert "https://rolecall.example.org/base/hooks/plant-2/SECRET (" in said
    assert f"{HERE}/readyz" in said
    assert "`rolecall queue status`" in said
    assert HOOK not in said
    assert "a-token" not in said
    assert "public_url" not in said


def test_without_a_public_address_it_shows_its_own_and_says_so() -> None:
    said = "\n".join(greeting(settings(), HERE))
    assert f"{HERE}/hooks/plant-2/SECRET" in said
    assert "set [server] public_url" in said
    assert webhooks(settings(), HERE) == {"plant-2": f"{HERE}/hooks/plant-2/SECRET"}


def test_it_says_that_nothing_is_connected_and_that_nothing_is_posted() -> None:
    assert any("nothing is connected" in line for line in greeting(Settings(), HERE))
    assert any("none are posted" in line for line in greeting(settings(triage={"shadow": True}), HERE))
    assert not any("none are posted" in line for line in greeting(settings(), HERE))


@pytest.mark.parametrize("url", ["rolecall.example.org", "ftp://x", "https://", "https://u:p@x", "https://x/?a=b"])
def test_a_public_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="public_url"):
        settings(server={"public_url": url})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("host.example", "http://host.example:1"),
    ],
)
def test_the_address_on_this_machine(host: str, url: str) -> None:
    assert local_url(host, 1) == url
