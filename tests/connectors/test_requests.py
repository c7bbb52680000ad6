"""What a manifest can say of requests: forms, JSON within parameters, headers, and every way of proving who asks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from connectors.base import Change, Field
from connectors.errors import Permanent, TicketNotFound, Transient
from connectors.manifest.catalogue import FaultyManifest, document_of, kind_of
from connectors.manifest.connector import ManifestConnector
from connectors.tokens import LogInAgain

pytestmark = pytest.mark.anyio

BARE: dict[str, Any] = {
    "manifest": 1,
    "name": "Bare",
    "secrets": ["key"],
    "ticket_page": "{url}/{ticket}",
    "api": {"base": "{url}/api/", "auth": {"by": "header", "header": "authtoken", "value": "{key}"}},
    "ticket": {"id": "id", "subject": "subject", "status": "status", "tags": "tags"},
    "comment": {"id": "id", "text": "text"},
    "read": {"get": "tickets/{ticket}", "comments": {"inside": "notes"}},
    "post": {"post": "tickets/{ticket}/notes", "form": {"input": {"note": {"text": "{text}"}}}, "id": "id"},
    "poll": {"get": "tickets", "rows": "@", "changed_at": "at"},
}
SOON, LATER = (f"{datetime.now(UTC) + timedelta(hours=hours):%Y-%m-%dT%H}" for hours in (1, 2))
"""The beginnings of times behind the first look, and within the day by which a system's clock may be ahead."""

TICKET = {"id": 7, "subject": "Pump 7 leaks", "status": "open", "notes": [], "tags": "pumps; oil"}


REFUSALS = [
    ("client_credentials", {"error": "invalid_client"}, "client id or secret is not accepted"),
    ("refresh_token", {"error": "invalid_client_secret"}, "client id or secret is not accepted"),
    ("refresh_token", {"error": "invalid_code"}, "the log-in of plant is spent"),
]


class Kept:
    """Keeps no pair."""

    async def nothing(self, *_: Any) -> None:
        """Say that there is none."""

    read = claim = store = release = spent = nothing


def connect(answer: Any, **tables: Any) -> tuple[ManifestConnector, list[httpx.Request]]:
    """Return a connector to a system that answers so, and what it is asked."""
    asked = list[httpx.Request]()

    def answered(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        found = answer(request) if callable(answer) else answer
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    made = kind_of("bare", BARE | tables)
    given = {"url": "https://desk.example.test", "key": "a-key", "author_id": "99"}
    settings = TypeAdapter(made.settings).validate_python(given)
    client = httpx.AsyncClient(base_url="https://desk.example.test/api/", transport=httpx.MockTransport(answered))
    return ManifestConnector("bare", "plant", made.manifest, settings, client), asked


async def test_a_form_holds_tables_as_json_and_no_text_gets_out_of_its_place() -> None:
    connector, asked = connect({"id": 12})
    hostile = 'a", "public": true, "b": "{key}&x=1\nü'
    await connector.post_comment("7", hostile)
    assert asked[0].headers["content-type"] == "application/x-www-form-urlencoded"
    sent = parse_qs(asked[0].content.decode())
    assert {name: [json.loads(text) for text in texts] for name, texts in sent.items()} == {
        "input": [{"note": {"text": hostile}}]
    }


async def test_a_parameter_holds_a_table_as_json_and_a_plain_list_as_itself() -> None:
    query = {"input": {"list": {"start": "{page}", "rows": 2}}, "only": ["a", "b"], "both": [{"x": 1}]}
    poll = {"get": "tickets", "query": query, "rows": "@", "changed_at": "at", "page": {"by": "offset", "in": "text"}}
    connector, asked = connect([], poll=poll)
    assert (await connector.poll((await connector.poll(None)).watermark)).complete
    sent = asked[0].url.params
    assert json.loads(sent["input"]) == {"list": {"start": 0, "rows": 2}}
    assert (sent.get_list("only"), json.loads(sent["both"])) == (["a", "b"], [{"x": 1}])


async def test_a_request_has_headers_of_its_own_and_a_value_that_none_can_carry_is_refused() -> None:
    steps = [{"name": "etag", "get": "tickets/{ticket}", "value": "etag"}]
    subject = {"patch": "tickets/{ticket}", "steps": steps, "body": [{"op": "add", "value": "{subject}"}]}
    subject["headers"] = {"Content-Type": "application/json-patch+json", "If-Match": "{etag}"}
    etags = iter(["W/7", "a\r\nX-Other: 1", "ü"])
    connector, asked = connect(
        lambda request: {"etag": next(etags)} if request.method == "GET" else {}, subject=subject
    )
    await connector.change_ticket("7", Change(Field.SUBJECT, "Pumpe ü", None))
    assert asked[1].headers["content-type"] == "application/json-patch+json"
    assert (asked[1].headers["if-match"], asked[1].headers["authtoken"]) == ("W/7", "a-key")
    assert json.loads(asked[1].content) == [{"op": "add", "value": "Pumpe ü"}]
    for _ in range(2):
        with pytest.raises(Permanent, match="could carry"):
            await connector.change_ticket("7", Change(Field.SUBJECT, "x", None))
    assert [request.method for request in asked[2:]] == ["GET", "GET"]


async def test_a_path_may_hold_parameters_of_its_own() -> None:
    connector, asked = connect(TICKET, read=BARE["read"] | {"get": "tickets/{ticket}?expand=notes"})
    await connector.read_ticket("7")
    assert str(asked[0].url) == "https://desk.example.test/api/tickets/7?expand=notes"


async def test_a_key_is_sent_in_every_address() -> None:
    api = {"base": "{url}/api/", "auth": BARE["api"]["auth"], "query": {"key": "{key}", "v": 2}}
    connector, asked = connect(TICKET, api=api)
    await connector.read_ticket("7")
    assert dict(asked[0].url.params) == {"key": "a-key", "v": "2"}
    failing, _ = connect(httpx.Response(500), api=api)
    with pytest.raises(Exception, match="answered 500") as caught:
        await failing.read_ticket("7")
    assert "a-key" not in str(caught.value)


@pytest.mark.parametrize("place", ["header", "query"])
async def test_a_token_stands_in_a_header_or_parameter_of_any_form(place: str) -> None:
    auth = {"by": "oauth2", "token_url": "{url}/token", "client_id": "x", "client_secret": "{key}"}
    auth |= {"value": "Zoho-oauthtoken {session}"} if place == "header" else {"value": ""}
    api = {"base": "{url}/api/", "auth": auth} | ({"query": {"session": "{session}"}} if place == "query" else {})
    connector, asked = connect(lambda r: {"access_token": "t1"} if r.url.path == "/token" else TICKET, api=api)
    await connector.read_ticket("7")
    sent = asked[1].headers.get("authorization"), asked[1].url.params.get("session")
    assert sent == (("Zoho-oauthtoken t1", None) if place == "header" else (None, "t1"))


async def test_a_log_in_by_a_form_whose_answer_is_the_token_itself() -> None:
    """As BMC Helix gives one: POST /api/jwt/login."""
    given = ["eyJhbGciOi.eyJzdWI.x-_y\n", "<html>\n<p>maintenance</p>", "eyJ é"]
    auth = {"by": "login", "post": "jwt/login", "form": {"username": "rolecall", "password": "{key}"}}
    auth |= {"token": "@", "value": "AR-JWT {session}"}

    def answer(request: httpx.Request) -> Any:
        return httpx.Response(200, text=given.pop(0)) if request.method == "POST" else TICKET

    connector, asked = connect(answer, api={"base": "{url}/api/", "auth": auth})
    await connector.read_ticket("7")
    assert parse_qs(asked[0].content.decode()) == {"username": ["rolecall"], "password": ["a-key"]}
    assert asked[1].headers["authorization"] == "AR-JWT eyJhbGciOi.eyJzdWI.x-_y"
    while given:
        with pytest.raises(Permanent, match="no token that a header could carry"):
            await connect(answer, api={"base": "{url}/api/", "auth": auth})[0].read_ticket("7")
    for both in ({"body": {}}, {"form": None}):
        with pytest.raises(ValidationError, match="needs either body or form"):
            connect(answer, api={"base": "{url}/api/", "auth": auth | both})


@pytest.mark.parametrize(("grant", "answer", "said"), REFUSALS)
async def test_a_refused_log_in_is_told_whatever_its_status(grant: str, answer: dict[str, str], said: str) -> None:
    """Zoho answers 200 to what other systems refuse with 400."""
    auth = {"by": "oauth2", "token_url": "{url}/token", "grant": grant, "client_id": "x", "client_secret": "{key}"}
    auth |= {"refresh_token": "{key}"} if grant == "refresh_token" else {}
    connector, _ = connect(answer, api={"base": "{url}/api/", "auth": auth})
    connector.tokens = Kept()
    with pytest.raises((Permanent, LogInAgain), match=said):
        await connector.read_ticket("7")


async def test_a_question_that_finds_no_ticket_says_that_it_is_not_there() -> None:
    """As GraphQL and query languages answer; what is no answer of the system says nothing of the ticket."""
    read = {"post": "graphql", "body": {"of": "{ticket}"}, "at": "data.items[0]", "comments": {"inside": "notes"}}
    answers: tuple[Any, ...] = ({"data": {"items": []}}, {"data": None}, {"data": {"items": [False]}})
    for answer in answers:
        with pytest.raises(TicketNotFound, match=r"no ticket at data\.items\[0\]"):
            await connect(answer, read=read)[0].read_ticket("7")
    with pytest.raises(Permanent, match="the answer is not Bare's"):
        await connect([], read=read)[0].read_ticket("7")


async def test_false_names_nobody_as_where_a_condition_does_not_hold_or_a_system_answers_it_for_nothing() -> None:
    names = {"assignee": "owner != `0` && owner", "requester": "filed_by", "group": "team"}
    for nothing in (True, False):
        shown = TICKET | ({"owner": 0, "filed_by": False, "team": False} if nothing else {"owner": 5, "team": "Pumps"})
        read = await connect(shown, ticket=BARE["ticket"] | names)[0].read_ticket("7")
        expected = (None, None, None) if nothing else ("5", None, "Pumps")
        assert (read.assignee, read.requester, read.group) == expected


async def test_an_answer_that_a_rule_judges_is_told_with_the_rule_and_never_quoted() -> None:
    error = [{"status": 200, "when": "Error", "is": "permanent"}, {"status": [409, 422], "is": "busy"}]
    api = {**BARE["api"], "error": error}
    with pytest.raises(Permanent) as caught:
        await connect({"Error": {"ErrorMessage": "Pump 7 leaks"}}, api=api)[0].read_ticket("7")
    assert str(caught.value) == "GET tickets/7: answered 200, in which Error holds"
    with pytest.raises(Transient, match=r"answered 422$"):
        await connect(httpx.Response(422), api=api)[0].read_ticket("7")


@pytest.mark.parametrize("known", ["", "99"])
async def test_where_nothing_else_tells_our_account_our_first_comment_does(known: str) -> None:
    """Znuny and Autotask answer with a number alone, and no request tells who we are."""
    text = "Role: Pumps\n\nrolecall-" + "a1" * 10
    notes = [{"id": 11, "text": "by somebody", "by": 7}, {"id": 12, "text": text, "by": 99}]
    comment = {"id": "id", "text": "text", "author": "by"}
    connector, asked = connect(
        lambda r: {"id": 12} if r.method == "POST" else TICKET | {"notes": notes}, comment=comment
    )
    connector.learn_author(known)
    stored = await connector.post_comment("7", text)
    assert (stored.id, stored.author_id or connector.author_id) == ("12", "99")
    assert [request.method for request in asked] == (["POST"] if known else ["POST", "GET"])


async def test_a_challenge_is_answered_and_what_was_learnt_from_it_serves_again() -> None:
    def answer(request: httpx.Request) -> Any:
        if not request.headers.get("authorization", "").startswith('Digest username="rolecall", realm="plant"'):
            challenge = 'Digest realm="plant", nonce="a1b2", qop="auth", algorithm=MD5'
            return httpx.Response(401, headers={"www-authenticate": challenge})
        return {"id": 12} if request.method == "POST" else TICKET

    auth = {"by": "digest", "user": "rolecall", "password": "{key}"}
    connector, asked = connect(answer, api={"base": "{url}/api/", "auth": auth})
    assert (await connector.read_ticket("7")).subject == "Pump 7 leaks"
    assert (await connector.post_comment("7", "Role: Pumps")).id == "12"
    assert [request.method for request in asked] == ["GET", "GET", "POST"]
    assert not any("a-key" in str(request.headers) for request in asked), "the password is never sent"
    refusing, _ = connect(httpx.Response(401), api={"base": "{url}/api/", "auth": auth})
    with pytest.raises(Permanent, match="not accepted"):
        await refusing.read_ticket("7")


async def test_a_log_in_by_cookie_is_asked_for_once_and_again_where_it_is_refused() -> None:
    valid = list[str]()

    def answer(request: httpx.Request) -> Any:
        if request.url.path.endswith("/login"):
            valid.append(f"s{len(valid)}")
            return httpx.Response(200, headers={"set-cookie": f"SID={valid[-1]}; Path=/"}, text="welcome")
        return TICKET if request.headers.get("cookie") == f"SID={valid[-1]}" else httpx.Response(401)

    auth = {"by": "login", "post": "login", "body": {"user": "rolecall", "password": "{key}"}}
    connector, asked = connect(answer, api={"base": "{url}/api/", "auth": auth})
    for _ in range(2):
        assert (await connector.read_ticket("7")).subject == "Pump 7 leaks"
    assert (len(valid), "authorization" in asked[1].headers) == (1, False)
    valid.append("ended")
    await connector.read_ticket("7")
    assert [request.url.path.rpartition("/")[2] for request in asked[3:]] == ["7", "login", "7"]


async def test_a_token_that_an_answer_of_200_refuses_is_asked_for_again_once() -> None:
    tokens = list[str]()

    def answer(request: httpx.Request) -> Any:
        if request.url.path.endswith("/session"):
            tokens.append(f"s{len(tokens)}")
            return {"id": tokens[-1]}
        return TICKET if request.url.params["session"] == "s1" else {"error": {"code": "AuthFail"}}

    auth = {"by": "login", "post": "session", "body": {"password": "{key}"}, "token": "id", "value": ""}
    rules = [{"status": 200, "when": "error.code == 'AuthFail'", "is": "log-in"}]
    api = {"base": "{url}/api/", "auth": auth, "query": {"session": "{session}"}, "error": rules}
    connector, _ = connect(answer, api=api)
    assert ((await connector.read_ticket("7")).subject, tokens) == ("Pump 7 leaks", ["s0", "s1"])
    tokens[:] = ["x"] * 7  # whatever is given is refused
    never, asked = connect(answer, api=api)
    with pytest.raises(Permanent, match="answered 200"):
        await never.read_ticket("7")
    assert len(asked) == 4, "no more than once"


async def test_tags_are_one_text_and_stay_one() -> None:
    ticket, tag = BARE["ticket"] | {"tags_separator": ";"}, {"put": "tickets/{ticket}", "form": {"tags": "{tags}"}}
    connector, asked = connect(TICKET, ticket=ticket, tag=tag)
    assert (await connector.read_ticket("7")).tags == ("pumps", "oil")
    await connector.change_ticket("7", Change(Field.TAG, "leak", None))
    assert parse_qs(asked[2].content.decode()) == {"tags": ["pumps; oil; leak"]}
    with pytest.raises(Permanent, match="cannot hold ';'"):
        await connector.change_ticket("7", Change(Field.TAG, "leak; x", None))
    without, _ = connect(TICKET)
    assert (await without.read_ticket("7")).tags is None, "the control"


async def test_what_people_wrote_stands_in_several_lists() -> None:
    lists = {"mails": [{"key": 8, "html": "a mail"}], "notes": [{"id": 9, "text": "a note"}]}

    def answer(request: httpx.Request) -> Any:
        return lists.get(request.url.path.rpartition("/")[2], TICKET | {"notes": lists["notes"]})

    mails = {"get": "tickets/{ticket}/mails", "rows": "[].{id: key, text: html, internal: `false`}"}
    read = BARE["read"] | {"also": [mails]}
    connector, _ = connect(answer, read=read, comment=BARE["comment"] | {"internal": "internal"})
    messages = (await connector.read_ticket("7")).messages
    assert [(message.id, message.text) for message in messages] == [("9", "a note"), ("8", "a mail")]
    assert [message.visibility.value for message in messages] == ["unknown", "public"]


async def test_what_else_is_told_of_a_ticket_is_asked_for_and_stands_in_it() -> None:
    def answer(request: httpx.Request) -> Any:
        told = {"log": [{"to": "closed", "at": "2026-11-02T07:14:03Z"}], "4": {"name": "Pumps"}}
        name = request.url.path.rpartition("/")[2]
        return httpx.Response(404) if name == "5" else told.get(name, shown)

    more = [
        {"name": "log", "get": "tickets/{ticket}/log", "value": "[?to == 'closed'] | [-1].at"},
        {"name": "team_name", "get": "teams/{item}", "item": "team", "value": "name"},
    ]
    ticket = BARE["ticket"] | {"group": "team_name", "closed_at": "log", "closed": ["open"]}
    shown: Any = TICKET | {"team": 4}
    connector, asked = connect(answer, read=BARE["read"] | {"more": more}, ticket=ticket)
    read = await connector.read_ticket("7")
    assert (read.group, read.closed_at and read.closed_at.isoformat()) == ("Pumps", "2026-11-02T07:14:03+00:00")
    for team, requests in ((None, 2), (False, 2), (5, 3)):
        shown = TICKET | {"team": team}
        asked.clear()
        assert ((await connector.read_ticket("7")).group, len(asked)) == (None, requests), "gone is the team, no ticket"
    shown = [TICKET]
    with pytest.raises(Permanent, match="is no table"):
        await connector.read_ticket("7")


async def test_a_list_that_begins_with_the_newest_is_read_down_to_the_last_look() -> None:
    rows = [TICKET | {"id": number, "at": f"{SOON}:{number:02}:00Z"} for number in range(10, 17)]

    def answer(request: httpx.Request) -> Any:
        if "page" not in request.url.params:
            return next(row for row in rows if str(row["id"]) == request.url.path.rpartition("/")[2])
        newest, page = sorted(rows, key=lambda row: str(row["at"]), reverse=True), int(request.url.params["page"])
        return [*pinned, *newest][(page - 1) * 2 : page * 2]

    pinned = list[dict[str, Any]]()
    poll = BARE["poll"] | {
        "newest_first": True,
        "overlap_seconds": 60,
        "page": {"by": "page", "param": "page", "most": 5},
    }
    connector, asked = connect(answer, poll=poll, ticket=BARE["ticket"] | {"created_at": "at"})
    assert connector.capabilities.lists_history
    watermark = (await connector.poll(None)).watermark
    found = await connector.poll(watermark)
    assert (sorted(event.ticket_id for event in found.events), found.complete) == (
        [str(row["id"]) for row in rows],
        True,
    )
    asked.clear()
    rows.append(TICKET | {"id": 17, "at": f"{SOON}:17:00Z"})
    later = await connector.poll(found.watermark)
    assert ("17" in {event.ticket_id for event in later.events}, later.complete) == (True, True)
    assert [request.url.params.get("page") for request in asked] == ["1", "2", None], "no page behind the last look"
    pinned.append(rows.pop(0))
    rows += [TICKET | {"id": number, "at": f"{SOON}:{number:02}:00Z"} for number in (18, 19)]
    told = {event.ticket_id for event in (await connector.poll(later.watermark)).events}
    assert told == {"18", "19"}, "an old row that is pinned to the top does not end the list"
    rows += [TICKET | {"id": number, "at": f"{LATER}:{number:02}:00Z"} for number in range(20, 30)]
    with pytest.raises(Permanent, match=r"does not reach back to the last look: \[poll\] page.most is too small"):
        await connector.poll(found.watermark)


async def test_what_a_list_of_the_newest_has_left_out_is_found_in_the_history() -> None:
    """As where Kanboard shows the last events of a project and no more."""
    rows = [TICKET | {"id": number, "at": f"{SOON}:{number:02}:00Z"} for number in range(10, 13)]

    def answer(request: httpx.Request) -> Any:
        newest, name = sorted(rows, key=lambda row: str(row["at"]), reverse=True), request.url.path.rpartition("/")[2]
        lists = {"news": newest[:4], "all": [row for row in rows if row["at"] >= request.url.params.get("day", "")]}
        return lists[name] if name in lists else next(row for row in rows if str(row["id"]) == name)

    poll = BARE["poll"] | {
        "get": "news",
        "newest_first": True,
        "overlap_seconds": 60,
        "page": {"by": "limit", "size": 3},
    }
    past = {"get": "all", "query": {"day": "{since}"}, "rows": "@", "changed_at": "at", "unordered": True}
    ticket = BARE["ticket"] | {"created_at": "at"}
    connector, asked = connect(answer, poll=poll, history=past | {"since": "%Y-%m-%d"}, ticket=ticket)
    found = await connector.poll((await connector.poll(None)).watermark)
    assert sorted(event.ticket_id for event in found.events) == ["10", "11", "12"]
    rows.append(TICKET | {"id": 13, "at": f"{SOON}:13:00Z"})
    asked.clear()
    later = await connector.poll(found.watermark)
    assert "13" in {event.ticket_id for event in later.events}
    assert not any(request.url.path.endswith("/all") for request in asked), "the newest reach back to the last look"
    rows += [TICKET | {"id": number, "at": f"{LATER}:{number}:00Z"} for number in range(20, 30)]
    after = await connector.poll(later.watermark)
    assert {event.ticket_id for event in after.events} >= {str(number) for number in range(20, 30)}
    assert after.complete
    assert list((await connector.poll(after.watermark)).events) == [], "and once it is told, it is told"
    bare, _ = connect(answer, poll=poll, ticket=ticket)
    with pytest.raises(Permanent, match=r"\[history\] has to say where the others are"):
        await bare.poll(later.watermark)


async def test_a_list_with_a_limit_goes_on_behind_its_last_row() -> None:
    rows = [TICKET | {"id": number, "at": f"{SOON}:{number:02}:00Z"} for number in range(10, 17)]

    def answer(request: httpx.Request) -> Any:
        since = request.url.params.get("since")
        if since is None:
            return next(row for row in rows if str(row["id"]) == request.url.path.rpartition("/")[2])
        return [row for row in rows if row["at"] >= since][: int(request.url.params["top"])]

    poll = BARE["poll"] | {"query": {"since": "{since}"}, "overlap_seconds": 60}
    poll |= {"page": {"by": "limit", "size_param": "top", "size": 3}}
    ticket = BARE["ticket"] | {"created_at": "at"}
    connector, _ = connect(answer, poll=poll, ticket=ticket)
    watermark, told, complete = (await connector.poll(None)).watermark, list[str](), list[bool]()
    for _ in range(6):
        found = await connector.poll(watermark)
        watermark, told = found.watermark, told + [event.ticket_id for event in found.events]
        complete.append(found.complete)
    assert (sorted(set(told)), complete[0], complete[-1]) == ([str(row["id"]) for row in rows], False, True)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"post": {"post": "x", "id": "id", "form": {"a": 1}, "body": {}}}, "either as body or as form"),
        ({"poll": {"get": "x", "rows": "@", "form": {"a": 1}}}, "body and form need post"),
        ({"poll": {"get": "x", "rows": "@", "newest_first": True}}, "newest_first needs changed_at"),
        ({"poll": {"get": "x", "rows": "@", "unordered": True}}, "unordered needs changed_at"),
        ({"poll": BARE["poll"] | {"unordered": True, "page": {"by": "limit"}}}, "both need an order"),
        ({"poll": {"get": "x", "rows": "@", "page": {"by": "limit", "param": "page"}}}, "turns no page"),
        (
            {"api": BARE["api"] | {"error": [{"status": 200, "is": "log-in"}]}},
            "needs auth that asks for a token",
        ),
        ({"ticket": BARE["ticket"] | {"tags_separator": ""}}, "at least 1 character"),
        (
            {
                "api": {
                    "base": "{url}",
                    "auth": {"by": "login", "post": "x", "body": {}, "token": "t", "value": "Bearer"},
                }
            },
            "value has to hold",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(table: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        kind_of("faulty", BARE | table)


def test_a_session_stands_for_something_only_where_there_is_a_log_in() -> None:
    document = document_of("atlas")
    document["api"]["query"] = {"session": "{session}"}
    document["read"]["headers"] = {"X-Other": "{nothing}"}
    with pytest.raises(FaultyManifest) as caught:
        kind_of("faulty", document)
    assert [path for path, _ in caught.value.faults] == [("api", "query", "session"), ("read", "headers", "X-Other")]


async def test_a_list_in_no_order_is_read_to_its_end_and_nothing_in_it_is_left_out() -> None:
    rows = [TICKET | {"id": number, "at": f"{SOON}:{number:02}:00Z"} for number in (13, 11, 16, 10, 15, 12, 14)]
    long = [TICKET | {"id": number, "at": f"{LATER}:{number:02}:00Z"} for number in range(20, 30)]

    def answer(request: httpx.Request) -> Any:
        if "page" not in request.url.params:
            return next(row for row in rows if str(row["id"]) == request.url.path.rpartition("/")[2])
        page = int(request.url.params["page"])
        return [row for row in rows if row["at"] >= request.url.params["since"]][(page - 1) * 2 : page * 2]

    page = {"by": "page", "param": "page", "most": 6}
    poll = BARE["poll"] | {"query": {"since": "{since}"}, "unordered": True, "page": page, "overlap_seconds": 0}
    connector, _ = connect(answer, poll=poll, ticket=BARE["ticket"] | {"created_at": "at"})
    assert connector.capabilities.lists_history
    found = await connector.poll((await connector.poll(None)).watermark)
    assert {event.ticket_id for event in found.events} == {str(row["id"]) for row in rows}
    assert found.complete
    rows.insert(0, TICKET | {"id": 17, "at": f"{SOON}:17:00Z"})
    later = await connector.poll(found.watermark)
    assert "17" in {event.ticket_id for event in later.events}
    rows += long
    with pytest.raises(Permanent, match=r"longer than \[poll\] page.most"):
        await connector.poll(found.watermark)


@pytest.mark.parametrize("whole", [False, True])
async def test_a_tag_is_told_by_its_id_where_the_system_wants_one(whole: bool) -> None:
    known = [{"gid": "4001", "name": "pumps"}, {"gid": "4002", "name": "oil"}, {"gid": "4003", "name": "urgent"}]

    def answer(request: httpx.Request) -> Any:
        return known if request.url.path.endswith("/labels") else TICKET | {"tags": ["pumps"]}

    tag = {"put": "tickets/{ticket}/labels", "body": {"labels": "{tags}"} if whole else {"label": "{tag}"}}
    connector, asked = connect(answer, tag=tag, tags={"get": "labels", "rows": "@", "name": "name", "id": "gid"})
    await connector.change_ticket("7", Change(Field.TAG, "urgent"))
    assert json.loads(asked[-1].content) == ({"labels": ["4001", "4003"]} if whole else {"label": "4003"})
    with pytest.raises(Permanent, match="no tag gears: make it there"):
        await connector.change_ticket("7", Change(Field.TAG, "gears"))
    assert asked[-1].method == "GET", "nothing is written"


async def test_the_list_of_tags_is_read_once_as_far_as_it_is_needed_and_its_end_is_not_guessed() -> None:
    def answer(request: httpx.Request) -> Any:
        if not request.url.path.endswith("/labels"):
            return TICKET | {"tags": ["tag 1", "tag 3"]}
        return [{"gid": number, "name": f"tag {number}"} for number in range(int(request.url.params["page"]) * 2)][-2:]

    page = {"by": "page", "param": "page", "most": 3}
    tags = {"get": "labels", "rows": "@", "name": "name", "id": "gid", "page": page}
    connector, asked = connect(answer, tag={"put": "tickets/{ticket}", "body": {"labels": "{tags}"}}, tags=tags)
    await connector.change_ticket("7", Change(Field.TAG, "tag 2"))
    assert json.loads(asked[-1].content) == {"labels": [1, 3, 2]}
    assert [request.url.params.get("page") for request in asked if request.url.path.endswith("/labels")] == ["1", "2"]
    with pytest.raises(Permanent, match=r"no tag tag 6: the list is longer than \[tags\] page.most allows to read"):
        await connector.change_ticket("7", Change(Field.TAG, "tag 6"))


async def test_a_request_tells_the_time_now_as_a_list_of_changes_tells_its_own() -> None:
    """HubSpot wants to know when a note was written; Zoho Desk is asked for what changed between two times."""
    poll = {"get": "tickets", "query": {"range": "{since},{now}"}, "rows": "@", "changed_at": "at", "since": "unix"}
    post = {"post": "notes/{ticket}", "body": {"at": "{now}", "text": "{text}"}, "id": "id"}
    connector, asked = connect(lambda request: [] if request.method == "GET" else {"id": 12}, poll=poll, post=post)
    began = datetime.now(UTC)
    await connector.poll((await connector.poll(None)).watermark)
    await connector.post_comment("7", "{now}")
    since, now = (datetime.fromtimestamp(int(at), UTC) for at in asked[0].url.params["range"].split(","))
    written = json.loads(asked[1].content)
    assert written["text"] == "{now}", "a person's text is filled with nothing"
    assert since < began
    for at in (now, datetime.fromisoformat(written["at"])):
        assert abs((at - began).total_seconds()) < 60


async def test_an_answer_without_content_is_a_list_without_rows_and_any_other_without_one_is_refused() -> None:
    """TOPdesk and Zoho Desk answer so where nothing was found."""
    for status, body in ((204, ""), (200, "null"), (200, "{}"), (201, "")):
        connector, _ = connect(httpx.Response(status, text=body), poll={**BARE["poll"], "rows": "data"})
        began = (await connector.poll(None)).watermark
        if status == 204:
            assert list((await connector.poll(began)).events) == []
        else:
            with pytest.raises(Permanent, match="no list at data"):
                await connector.poll(began)
