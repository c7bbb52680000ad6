"""How lists go on: the number of a page anywhere in a request, rows read one by one, ends that repeat themselves."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from connectors.errors import Permanent
from connectors.manifest.access import Access
from connectors.manifest.catalogue import FaultyManifest, document_of, kind_of
from connectors.manifest.lists import Listed, Turn, first, read_list, read_page
from connectors.manifest.parts import Page, Rows
from connectors.manifest.system import system
from tests.connectors.systems.installed import kind, settings

ROWS = [{"id": number} for number in range(1, 6)]
pytestmark = pytest.mark.anyio


async def listed(given: dict[str, Any], answer: Any, **values: Any) -> tuple[Listed, list[str]]:
    """Return what a list yields, and what was asked: the address, and the body where there is one."""
    asked = list[str]()

    def answered(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode() + request.content.decode())
        found = answer(request)
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    client = httpx.AsyncClient(base_url="https://desk.example.test", transport=httpx.MockTransport(answered))
    access = Access("plant", system("redmine", kind("redmine").manifest, settings("redmine")), client)
    return await read_list(access, Rows.model_validate({"rows": "@", **given}), values), asked


async def test_the_number_of_a_page_stands_in_the_address() -> None:
    def answer(request: httpx.Request) -> Any:
        number = int(request.url.path.rpartition("/")[2])
        return ROWS[(number - 1) * 2 : number * 2]

    found, asked = await listed({"get": "tickets/page/{page}", "page": {"by": "page", "in": "text"}}, answer)
    assert (found.rows, found.complete) == (ROWS, True)
    assert asked == [f"/tickets/page/{number}" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(("begins", "starts"), [(None, [0, 2, 4, 5]), (1, [1, 3, 5, 6])])
async def test_the_first_row_is_counted_from_zero_or_one(begins: int | None, starts: list[int]) -> None:
    def answer(request: httpx.Request) -> Any:
        start = json.loads(request.content)["text"].removeprefix("rows from ")
        return ROWS[int(start) - (begins or 0) :][:2]

    page = {"by": "offset", "in": "text"} | ({} if begins is None else {"first": begins})
    found, asked = await listed({"post": "search", "body": {"text": "rows from {page}"}, "page": page}, answer)
    assert (found.rows, found.complete) == (ROWS, True)
    assert [json.loads(each.partition("{")[1] + each.partition("{")[2])["text"] for each in asked] == [
        f"rows from {start}" for start in starts
    ]


async def test_a_first_row_that_is_counted_from_one_is_asked_for_by_a_parameter() -> None:
    page = {"by": "offset", "param": "start", "first": 1}
    _, asked = await listed(
        {"get": "tickets", "page": page}, lambda request: [] if "start=2" in str(request.url) else [1]
    )
    assert asked == ["/tickets?start=1", "/tickets?start=2"]


async def test_a_cursor_is_put_into_a_text_and_stays_one_value() -> None:
    answers = iter([{"rows": [1], "next": 'a"b&c'}, {"rows": [2], "next": None}])
    given = {"get": "find", "query": {"q": "after:{page}"}, "rows": "rows"}
    found, asked = await listed(
        given | {"page": {"by": "cursor", "in": "text", "next": "next"}}, lambda _: next(answers)
    )
    assert (found.rows, asked) == ([1, 2], ["/find?q=after%3A", "/find?q=after%3Aa%22b%26c"])


@pytest.mark.parametrize("pages", [[ROWS], [ROWS[:2], ROWS[2:4], ROWS[4:]]])
async def test_a_last_page_that_is_answered_for_ever_ends_the_list(pages: list[Any]) -> None:
    def answer(request: httpx.Request) -> Any:
        return pages[min(int(request.url.params["page"]), len(pages)) - 1]

    page = {"by": "page", "param": "page", "until": "repeated"}
    found, asked = await listed({"get": "tickets", "page": page}, answer)
    assert (found.rows, found.complete, len(asked)) == (ROWS, True, len(pages) + 1)
    without, _ = await listed({"get": "tickets", "page": page | {"until": "empty"}}, answer)
    assert without.complete is False, "the control: no empty page ever comes"


async def test_rows_are_read_one_by_one_and_one_that_is_gone_meanwhile_is_left_out() -> None:
    def answer(request: httpx.Request) -> Any:
        if request.url.path == "/tickets":
            return [7, 8, "9"]
        number = request.url.path.rpartition("/")[2]
        return httpx.Response(404) if number == "8" else {"ticket": {"id": number}}

    each = {"get": "tickets/{item}", "item": "@", "at": "ticket"}
    found, asked = await listed({"get": "tickets", "each": each}, answer)
    assert (found.rows, len(asked)) == ([{"id": "7"}, {"id": "9"}], 4)
    with pytest.raises(Permanent, match=r"3 rows are more than each\.most"):
        await listed({"get": "tickets", "each": each | {"most": 2}}, answer)


async def test_a_number_stays_one_where_it_is_the_whole_value() -> None:
    given = {"get": "tickets", "each": {"post": "one", "body": {"id": "{item}"}, "item": "@"}}
    _, asked = await listed(given, lambda request: [7, "8"] if request.url.path == "/tickets" else {})
    assert asked[1:] == ['/one{"id":7}', '/one{"id":"8"}']


async def test_a_page_can_be_turned_by_a_process_that_comes_after() -> None:
    where = Rows.model_validate(
        {"get": "t/{page}", "rows": "@", "page": {"by": "page", "in": "text", "until": "repeated"}}
    )
    turn = first(where, {})
    client = httpx.AsyncClient(
        base_url="https://desk.example.test", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=ROWS))
    )
    access = Access("plant", system("redmine", kind("redmine").manifest, settings("redmine")), client)
    _, following = await read_page(access, where, {}, turn)
    assert following is not None
    kept = Turn.model_validate_json(following.model_dump_json())
    assert await read_page(access, where, {}, kept) == ([], None)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ({"by": "page", "in": "text", "param": "page"}, "needs param"),
        ({"by": "page"}, "needs param"),
        ({"by": "link", "in": "text"}, "turns by an address"),
        ({"by": "page", "param": "page", "first": -1}, "greater than or equal to 0"),
    ],
)
def test_a_page_that_cannot_be_turned_is_refused(page: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Page.model_validate(page)


def test_a_request_without_a_place_for_the_page_is_refused_and_so_is_the_place_without_a_page() -> None:
    document = document_of("trac")
    document["poll"]["body"]["params"] = ["changetime={since}.."]
    with pytest.raises(ValidationError, match=r"needs \{page\} in the address, the query or the body"):
        kind_of("none", document)
    document = document_of("trac")
    document["read"]["body"] = "{ticket} {page}"
    document["poll"]["each"]["body"] = "{page}"
    with pytest.raises(FaultyManifest) as caught:
        kind_of("misplaced", document)
    assert [(path, message.partition(";")[0]) for path, message in caught.value.faults] == [
        (("read", "body"), "{page} stands for nothing here"),
        (("poll", "each", "body"), "{page} stands for nothing here"),
    ]


async def test_a_list_goes_on_by_several_parameters_that_its_last_row_tells() -> None:
    def answer(request: httpx.Request) -> Any:
        after = int(request.url.params.get("start_id", "0"))
        assert ("start" in request.url.params) is bool(after)
        return [{**row, "date": str(row["id"] * 1000)} for row in ROWS if row["id"] > after][:2]

    page = {"by": "next", "next": "{start: [-1].date, start_id: [-1].id}"}
    found, asked = await listed({"get": "comments", "page": page}, answer)
    assert ([row["id"] for row in found.rows], found.complete) == ([row["id"] for row in ROWS], True)
    assert asked == ["/comments", *(f"/comments?start={n}000&start_id={n}" for n in (2, 4, 5))]
