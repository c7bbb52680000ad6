"""Words of tickets, people and systems are words on every page: no page has another structure because of them."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from jinja2 import Environment

from agent.core import Parts
from agent.pages.signing.rights import Rights
from agent.pages.site import POLICY
from tests.agent.pages.conftest import signed_in
from tests.agent.pages.planted import HARMLESS, HOSTILE, SHORT, plant
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio


class Structure(HTMLParser):
    """The elements of a page with the names of their attributes, and the addresses that they lead to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "mark":  # around each word that was searched for, and there are more of the hostile ones
            self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action", "formaction")]


def addresses(words: str) -> list[str]:
    """Return the addresses of all pages, with the words wherever an address takes some."""
    said = quote(words, safe="")
    return [
        *("/", "/?is=waiting", "/?is=corrected", "/?is=none", f"/?is={said}&before={said}", "/review"),
        *("/review?order=disputed", f"/review?order={said}&after={said}", f"/tickets/desk/{said}"),
        *("/tickets/desk/near", "/status", "/models", "/report", "/rules", "/roles", "/users", "/log", "/account"),
        *("/search", f"/search?q={quote(words[:100], safe='')}", f"/search?q={said}&is={said}&role={said}"),
    ]


async def structures(parts: Parts, words: str, name: str) -> dict[int, Structure]:
    found = {}
    async with running(parts, Desk()) as server:
        parts.database.call(plant, words, name)
        person = signed_in(server, Rights.OPERATOR, "operator")
        for number, address in enumerate(addresses(words)):
            answer = await person.client.get(address)
            assert (answer.status_code, answer.headers["content-security-policy"]) == (200, POLICY), address
            found[number] = Structure(answer.text)
        stranger = signed_in(server, None)
        for number, address in enumerate((f"/sign-in?next=/{quote(words)}", f"/tickets/{quote(words)}/{quote(words)}")):
            found[-1 - number] = Structure((await (person if number else stranger).client.get(address)).text)
    return found


async def test_no_page_has_another_structure_for_hostile_words(parts_for: Callable[..., Parts], tmp_path: Any) -> None:
    plain = await structures(parts_for(data=tmp_path / "plain"), HARMLESS, "kim")
    hostile = await structures(parts_for(data=tmp_path / "hostile"), HOSTILE, SHORT)
    assert {n: s.elements for n, s in hostile.items()} == {n: s.elements for n, s in plain.items()}
    for structure in hostile.values():
        assert [a for a in structure.addresses if not a.startswith(("/", "#main", "http://desk.example/")) and a] == []
        assert [e for e in structure.elements if any(name.startswith("on") or name == "style" for name in e[1])] == []


def test_control_a_page_without_escaping_has_another_structure() -> None:
    template = '<p title="{{ words }}">{{ words }}</p>'
    for autoescape in (True, False):
        made = [
            Structure(Environment(autoescape=autoescape).from_string(template).render(words=words)).elements
            for words in (HARMLESS, HOSTILE)
        ]
        assert (made[0] == made[1]) is autoescape
