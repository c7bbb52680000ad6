"""The helpdesk's web pages, as a member of staff uses them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from resiliparse.parse.html import HTMLTree

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


def form_of(page: str, action: str) -> dict[str, str]:
    """Return what a browser would send of the page's form with this action, were it submitted untouched."""
    document = HTMLTree.parse(page).document
    assert document is not None
    form = document.query_selector(f'form[action$="{action}"]')
    assert form is not None
    fields: dict[str, str] = {}
    for field in form.query_selector_all("input, select, textarea"):
        name, kind = field.getattr("name"), field.getattr("type")
        if not name or kind in ("file", "submit", "button"):
            continue
        if field.tag == "select":
            chosen = field.query_selector("option[selected]") or field.query_selector("option")
            fields[name] = (chosen.getattr("value") or "") if chosen else ""
        elif kind not in ("checkbox", "radio") or field.hasattr("checked"):
            fields[name] = field.getattr("value") or (field.text if field.tag == "textarea" else "") or ""
    return fields
