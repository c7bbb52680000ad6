"""The helpdesk's web pages, as a member of staff uses them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from agent.demo.helpdesk import HelpdeskServer


@contextmanager
def signed_in(helpdesk: HelpdeskServer) -> Iterator[httpx.Client]:
    """Yield a client with a session, and with the token that forms need in its headers."""
    with httpx.Client(base_url=helpdesk.url, trust_env=False, headers={"Referer": helpdesk.url}) as client:
        form = client.get("/login/").text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        assert token
        login = {"username": "tech", "password": helpdesk.seed.passwords["tech"], "csrfmiddlewaretoken": token[1]}
        assert client.post("/login/", data=login).status_code == 302
        client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
        yield client
