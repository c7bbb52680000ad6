"""Deliveries: the receiver as a whole, its signature checks, and what reads a body."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
from pydantic import ValidationError
from starlette.types import Message

from agent.app import create_app
from agent.config.settings import Settings
from agent.core import assemble
from agent.pages.routes import CALLS
from connectors.deliveries import decode, verify_shared_secret
from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings
from connectors.django_helpdesk.payload import WebhookBody
from connectors.errors import Challenged, InvalidSignature, MalformedPayload
from connectors.events import Delivery
from connectors.manifest.catalogue import document_of, examples, kind_of, presets
from connectors.manifest.model import Manifest
from connectors.manifest.receiving import LONGEST_ANSWER, read_delivery
from connectors.manifest.system import bare
from connectors.proofs import BasicAuth, Hmac, SecretInHeader, SecretInPath, standard_webhooks
from connectors.signing import key_of, verify, verify_hmac
from tests.connectors import hostile
from tests.connectors.contract import check as check_event
from tests.fuzz.target import Target, one_line, text_of

HERE = Path(__file__).parent
RECORDED = [file.read_bytes() for file in sorted((HERE.parent / "payloads").glob("django-helpdesk_*.json"))]
HOSTILE = [body for body in hostile.NEVER_VALID.values() if len(body) < 10_000]
SECRET = "a-secret-of-the-fuzzer"
HELPDESK = DjangoHelpdeskSettings(
    url="http://127.0.0.1:9", token="token", author_id="2", webhook_secrets=(SECRET,), queues={"1": "WO"}
)
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = 1_614_265_330
PAGES = {call.path for call in CALLS if call.method == "GET"}
ANSWERS = {200, 202, 400, 401, 404, 405, 408, 413, 422, 431}


def helpdesk(client: httpx.AsyncClient | None = None) -> DjangoHelpdesk:
    return DjangoHelpdesk(
        "django-helpdesk", HELPDESK, client or httpx.AsyncClient(transport=httpx.MockTransport(_nobody))
    )


def receiver(scratch: Path) -> Target:
    """The whole server, but for its workers: a method, a path, headers and a body become an answer below 500."""
    tickets = HERE.parent / "tickets"
    settings = Settings(data=scratch / "data", rules=tickets / "rules.toml", roles=tickets / "roles.toml")
    parts = assemble(settings)
    app = create_app(parts, {"django-helpdesk": helpdesk()}, ("false",))
    loop = asyncio.new_event_loop()

    def close() -> None:
        loop.close()
        parts.database.close()

    def check(data: bytes) -> None:
        scope, body = request(data)
        status, answer = loop.run_until_complete(answered(app, scope, body))
        sent_to_sign_in = status == 303 and scope["path"] in PAGES
        assert status in ANSWERS or sent_to_sign_in, f"{scope['method']} {scope['path']!r} is answered {status}"
        assert SECRET.encode() not in answer
        if scope["path"].startswith("/hooks/") and status in (400, 401):
            one_line(answer.decode().removesuffix("\n"))

    hook = f"POST /hooks/django-helpdesk/{SECRET}\ncontent-type: application/json\n\n".encode()
    paths = (
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/openapi.json",
        "/v1/models",
        "/v1/train",
        "/health",
        "//%00/",
    )
    seeds = [f"GET {path}\nhost: localhost\nx-api-key: guess\n\n".encode() for path in paths]
    seeds += [hook + body for body in (*RECORDED, *HOSTILE)]
    seeds += [b"POST /hooks/django-helpdesk/wrong\ncontent-length: 2\n\n{}", b"POST /hooks/nobody\n\n"]
    seeds += [b"GET /log?before=\xff\xfe\n\n", b"GET ?\xff\n\n"]
    return Target(check, seeds, close)


def request(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Read `METHOD PATH`, headers and a body out of any bytes, as a server hands them to an application."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, target = first.partition(b" ")
    path, _, query = target.partition(b"?")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method.decode("latin-1").upper() or "GET",
        "scheme": "http",
        "path": unquote((b"/" + path.lstrip(b"/")).decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "headers": headers,
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    return scope, body


async def answered(app: Any, scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
    """Return status and body of what an application answers to a request whose body comes in two pieces."""
    told: list[Message] = []
    pieces = [
        {"type": "http.request", "body": body[:100], "more_body": True},
        {"type": "http.request", "body": body[100:]},
    ]

    async def receive() -> Message:
        return pieces.pop(0) if pieces else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        told.append(message)

    await app(scope, receive, send)
    return told[0]["status"], b"".join(message.get("body", b"") for message in told[1:])


def standard_webhook(_scratch: Path) -> Target:
    """The signature of Standard Webhooks: refused in words, or right by a second reckoning. `+` in front signs it."""

    def check(data: bytes) -> None:
        head, _, body = data.removeprefix(b"+").partition(b"\n\n")
        lines = (text_of(line).partition(": ") for line in head.split(b"\n"))
        headers = {name.lower(): value for name, _, value in lines}
        if data.startswith(b"+"):
            headers["webhook-signature"] = headers.get("webhook-signature", "") + " v1," + _signed(headers, body)
        try:
            verify_hmac(standard_webhooks(), Delivery(headers, body), [STANDARD_SECRET], now=NOW)
        except InvalidSignature as error:
            one_line(str(error))
        else:
            assert f"v1,{_signed(headers, body)}" in headers["webhook-signature"].split()
            assert abs(int(headers["webhook-timestamp"]) - NOW) <= 300

    head = f"webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\nwebhook-timestamp: {NOW}\n"
    signature = "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    whole = f'{head}{signature}\n\n{{"test": 2432232314}}'
    return Target(check, [whole.encode(), b"+" + head.encode() + b"\n\n{}", whole.replace("v1,", "v1a,").encode()])


def _signed(headers: Mapping[str, str], body: bytes) -> str:
    signed = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}."
    with contextlib.suppress(UnicodeEncodeError):
        digest = hmac.new(key_of(standard_webhooks(), STANDARD_SECRET), signed.encode() + body, hashlib.sha256)
        return base64.b64encode(digest.digest()).decode()
    return ""


def other_proofs(_scratch: Path) -> Target:
    """All other ways to prove where a delivery comes from: what gets in holds the secret, or its hash of the body.

    `+` in front signs the delivery with the secret, and then it gets in.
    """
    hub = Hmac(header="x-hub-signature", prefix="sha1=", algorithm="sha1")
    items = Hmac(
        header="x-items",
        prefix="v1=",
        separator=",",
        message="{timestamp}.{body}",
        timestamp_prefix="t=",
        tolerance=300,
    )
    shown = [SecretInHeader(header="x-secret"), BasicAuth(user="rolecall"), SecretInPath()]

    def check(data: bytes) -> None:
        head, _, body = data.removeprefix(b"+").partition(b"\n\n")
        lines = (text_of(line).partition(": ") for line in head.split(b"\n"))
        headers = {name.lower(): value for name, _, value in lines}
        digest = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
        if data.startswith(b"+"):
            headers["x-hub-signature"] = f"sha1={digest}"
        delivery = Delivery(headers, body, headers.get("segment", ""))
        try:
            verify([hub, items, *shown], delivery, [SECRET], now=NOW)
        except InvalidSignature as error:
            assert not data.startswith(b"+")
            one_line(str(error))
        else:
            basic = base64.b64encode(f"rolecall:{SECRET}".encode()).decode()
            dated = hmac.new(SECRET.encode(), f"{NOW}.".encode() + body, hashlib.sha256).hexdigest()
            said = "\n".join(headers.values())
            assert any(proof in said for proof in (SECRET, digest, basic.rstrip("="), dated))

    dated = hmac.new(SECRET.encode(), f"{NOW}.{{}}".encode(), hashlib.sha256).hexdigest()
    basic = base64.b64encode(f"rolecall:{SECRET}".encode())
    seeds = [
        b"+\n\n{}",
        f"x-items: t={NOW},v1={dated}\n\n{{}}".encode(),
        b"authorization: Basic " + basic + b"\n\n",
        f"x-secret: {SECRET}\n\n{{}}".encode(),
        f"segment: {SECRET}/created\n\n{{}}".encode(),
    ]
    return Target(check, seeds)


def shared_secret(_scratch: Path) -> Target:
    """The secret in a path: it passes where it is one of the secrets, and nothing else does."""
    secrets = (SECRET, "another-secret-of-the-fuzzer")

    def check(data: bytes) -> None:
        given = text_of(data)
        try:
            verify_shared_secret(given, secrets)
        except InvalidSignature as error:
            assert given not in secrets
            one_line(str(error))
        else:
            assert given in secrets

    return Target(
        check,
        [SECRET.encode(), SECRET.encode()[:-1], secrets[1].encode(), b"", "ö\ud800".encode("utf-8", "surrogatepass")],
    )


def helpdesk_delivery(_scratch: Path) -> Target:
    """The body of a webhook: events that can be stored, the same each time, or a reason in one line."""
    connector = helpdesk()

    def check(data: bytes) -> None:
        delivery = Delivery({}, data, SECRET)
        try:
            events = connector.parse(delivery)
        except MalformedPayload as error:
            one_line(str(error))
        else:
            assert list(connector.parse(delivery)) == list(events)
            for event in events:
                check_event(event)

    return Target(check, [*RECORDED, *HOSTILE])


def check_answer(asked: Challenged) -> None:
    """Fail unless a challenge can be answered: a few bytes, and headers that hold nothing but their values."""
    assert len(asked.content) + len("".join(asked.headers.values())) < LONGEST_ANSWER + 100
    assert all(value.isascii() and value.isprintable() for value in asked.headers.values())


def manifest_deliveries(_scratch: Path) -> Target:
    """A webhook of any shipped kind: events that can be stored, an answer that can be sent, or a reason in one line.

    First the kind, then what stands in the address and in a header.
    """
    systems = {name: bare(name, kind_of(name, document_of(name)).manifest, {"owner": "o"}) for name in presets()}
    told = {name: tuple(examples(name)) for name in systems}

    def check(data: bytes) -> None:
        head, _, body = data.partition(b"\n")
        name, _, rest = text_of(head).partition(" ")
        segment, _, kind = rest.partition(" ")
        if name not in systems:
            return
        delivery = Delivery({"x-hook-secret" if name == "asana" else "x-github-event": kind}, body, segment)
        try:
            events = read_delivery(delivery, systems[name], "99").events
        except Challenged as asked:
            check_answer(asked)
        except MalformedPayload as error:
            one_line(str(error))
        else:
            for event in events:
                check_event(event)

    seeds = [
        f"{name} {each.segment} {each.headers.get('x-github-event', '')}\n{json.dumps(each.body)}".encode()
        for name, every in told.items()
        for each in every
    ]
    challenges = [b"asana s b537207f\n", b"asana s " + b"a" * 3_000 + b"\n", "asana s ü\n".encode()]
    return Target(check, [*seeds, *challenges, *(b"jira  \n" + body for body in HOSTILE)])


def manifests(_scratch: Path) -> Target:
    """A manifest: one that can be used, or what is wrong with which key."""
    document = document_of("netbox")

    def check(data: bytes) -> None:
        at, _, text = data.decode("utf-8", "replace").partition("\n")  # as a TOML file is
        changed = json.loads(json.dumps(document))
        table, *keys = at.split(".")
        place = changed
        for key in (table, *keys[:-1]):
            place = place.get(key, {}) if isinstance(place, dict) else {}
        if isinstance(place, dict):
            place[keys[-1] if keys else table] = text
        with contextlib.suppress(ValidationError):
            Manifest.model_validate(changed)

    seeds = [b"ticket.id\nid", b"ticket.id\n[@,@][]|[@,@][]", b"ids\n(a+)+$", b"read.comments.rows\n!a.b", b"name\nx"]
    return Target(check, seeds)


def strict_json(_scratch: Path) -> Target:
    """JSON: what is let through reads the same with the standard library's parser, told to be strict.

    But for NUL, which no database keeps.
    """

    def check(data: bytes) -> None:
        try:
            read = decode(WebhookBody, data)
        except MalformedPayload as error:
            one_line(str(error))
        else:
            second = json.loads(data.decode("utf-8"), object_pairs_hook=_no_repetition, parse_constant=_refuse)
            title = second["ticket"]["title"].replace("\0", "")
            assert (read.ticket.id, read.ticket.title) == (second["ticket"]["id"], title)
            assert [row.id for row in read.ticket.followup_set] == [
                row["id"] for row in second["ticket"]["followup_set"]
            ]

    nul = RECORDED[0].replace(b'"title": "', b'"title": "\\u0000', 1)
    return Target(check, [*RECORDED, *HOSTILE, nul])


def _no_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), "a repeated key was let through"
    return dict(pairs)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} was let through")


def _nobody(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(503)
