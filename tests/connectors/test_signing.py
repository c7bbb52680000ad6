"""Signatures of every kind: genuine ones pass, every anomaly is InvalidSignature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.errors import InvalidSignature
from connectors.events import Delivery
from connectors.proofs import BasicAuth, Hmac, Proof, SecretInHeader, SecretInPath, StandardWebhooks, standard_webhooks
from connectors.signing import key_of, verify, verify_hmac

VECTORS = Path(__file__).parents[2] / "../shared/payloads/signature_vectors.json"

# The example of the Standard Webhooks reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
NOW = 1614265330
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(NOW),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
OTHER = "whsec_" + "A" * 32
STANDARD = standard_webhooks()

HUB = Hmac(header="X-Hub-Signature-256", prefix="sha256=")
ZENDESK = Hmac(
    header="x-zendesk-webhook-signature",
    encoding="base64",
    message="{timestamp}{body}",
    timestamp_header="x-zendesk-webhook-signature-timestamp",
    timestamp="iso",
    tolerance=300,
)
MAINTAINX = Hmac(
    header="x-maintainx-webhook-body-signature",
    prefix="v1=",
    separator=",",
    message="{timestamp}.{body}",
    timestamp_prefix="t=",
    tolerance=300,
)
SCHEMES: dict[str, Hmac] = {
    "zammad": Hmac(header="X-Hub-Signature", prefix="sha1=", algorithm="sha1"),
    "github": HUB,
    "github_official_vector": HUB,
    "jira": Hmac(header="X-Hub-Signature", prefix="sha256="),
    "redmine7": Hmac(header="X-Redmine-Signature-256", prefix="sha256="),
    "glpi": Hmac(header="X-GLPI-signature", message="{body}{timestamp}", timestamp_header="X-GLPI-timestamp"),
    "zendesk": ZENDESK,
    "maintainx": MAINTAINX,
    "atlas_cmms": Hmac(header="X-Webhook-Signature"),
    "connectwise": Hmac(header="x-content-signature", encoding="base64", key="sha256"),
    "standard_webhooks": STANDARD,
}
AT = {"maintainx": 1793603643.0, "zendesk": 1793603644.0, "standard_webhooks": float(NOW)}


def delivery(headers: dict[str, str], body: bytes = BODY, **other: Any) -> Delivery:
    return Delivery({name.lower(): value for name, value in headers.items()}, body, **other)


def standard(headers: dict[str, str] = HEADERS, body: bytes = BODY, *secrets: str, now: float = NOW) -> None:
    verify_hmac(STANDARD, delivery(headers, body), secrets or (SECRET,), now=now)


def test_the_published_example_passes() -> None:
    standard()
    verify([StandardWebhooks()], delivery(HEADERS), [SECRET], now=NOW)


@pytest.mark.parametrize("system", SCHEMES)
def test_the_recorded_vector_of_each_system_passes_and_with_one_byte_changed_it_does_not(system: str) -> None:
    if not VECTORS.exists():
        pytest.skip("the collection of signature vectors is not beside this checkout")
    (vector,) = [v for v in json.loads(VECTORS.read_text()) if v["system"] == system]
    scheme, now, body = SCHEMES[system], AT.get(system, 0.0), vector["raw_body_utf8"].encode()
    verify_hmac(scheme, delivery(vector["headers"], body), ["another", vector["key"]][scheme.key == "whsec" :], now=now)
    for changed in (delivery(vector["headers"], body + b" "), delivery({}, body)):
        with pytest.raises(InvalidSignature):
            verify_hmac(scheme, changed, [vector["key"]], now=now)


def test_every_recorded_vector_has_a_scheme() -> None:
    if not VECTORS.exists():
        pytest.skip("the collection of signature vectors is not beside this checkout")
    assert {v["system"] for v in json.loads(VECTORS.read_text())} - {"glpi_cra_challenge"} == SCHEMES.keys()


def test_any_active_secret_and_any_given_signature_may_match() -> None:
    headers = HEADERS | {"webhook-signature": f"v1a,xxx v1,AAAA {HEADERS['webhook-signature']}"}
    standard(headers, BODY, OTHER, SECRET)


@pytest.mark.parametrize("form", ["sha256={}", "SHA256={}", "sha256= {}", " sha256={} "])
def test_hexadecimal_digits_and_names_of_schemes_have_no_case(form: str) -> None:
    """HaloPSA writes a blank behind the name; .NET's and Java's hexadecimal digits are capitals."""
    digest = hmac.digest(b"a:secret", BODY, "sha256").hex()
    for written in (digest, digest.upper()):
        verify([HUB], delivery({HUB.header: form.format(written)}), ["a:secret"], now=0)
    bearer = SecretInHeader(header="Authorization", prefix="Bearer ")
    for scheme in ("bearer", "BEARER ", "Bearer"):
        verify([bearer], delivery({"authorization": f"{scheme} a:Secret"}), ["a:Secret"], now=0)
    for wrong in ("Bearer a:secret", "Bearera:Secret", "Basic a:Secret"):
        with pytest.raises(InvalidSignature):
            verify([bearer], delivery({"authorization": wrong}), ["a:Secret"], now=0)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("message", ["{body}", "{timestamp}.{body}", "{body}{timestamp}", "{id}.{url}\n{body}"])
def test_every_way_to_sign_agrees_with_a_second_reckoning(algorithm: Any, encoding: Any, message: str) -> None:
    scheme = Hmac(
        header="sign",
        algorithm=algorithm,
        encoding=encoding,
        message=message,
        timestamp_header="at" if "{timestamp}" in message else None,
        id_header="id" if "{id}" in message else None,
    )
    url = "https://rolecall.example.test/hooks/plant?x=1"
    said = message.replace("{body}", "\ufffe").format(id="7", timestamp="12", url=url).encode()
    digest = hmac.new(b"key", said.replace("\ufffe".encode(), BODY), getattr(hashlib, algorithm))
    signature = digest.hexdigest() if encoding == "hex" else base64.b64encode(digest.digest()).decode()
    genuine = delivery({"sign": signature, "at": "12", "id": "7"}, url=url)
    verify_hmac(scheme, genuine, ["key"], now=0)
    with pytest.raises(InvalidSignature):
        verify_hmac(scheme, genuine, ["kez"], now=0)


@pytest.mark.parametrize(
    ("change", "now"),
    [
        ({"webhook-id": "msg_other"}, NOW),
        ({"webhook-timestamp": str(NOW + 1)}, NOW),
        ({"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"}, NOW),
        ({"webhook-timestamp": "-1"}, NOW),
        ({"webhook-timestamp": "9" * 5_000}, NOW),
        ({"webhook-timestamp": ""}, NOW),
        ({"webhook-signature": ""}, NOW),
        ({"webhook-signature": "v1"}, NOW),
        ({"webhook-signature": "v1,"}, NOW),
        ({"webhook-signature": "v1,\ud800"}, NOW),
        ({"webhook-signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, NOW),
        ({"webhook-signature": "v1,x " * 20 + HEADERS["webhook-signature"]}, NOW),
        ({}, NOW + 301),
        ({}, NOW - 301),
    ],
)
def test_a_changed_stale_or_unreadable_proof_is_refused(change: dict[str, str], now: float) -> None:
    with pytest.raises(InvalidSignature):
        standard(HEADERS | change, now=now)


@pytest.mark.parametrize("stamp", ["2026-11-02T07:14:04", "2026-11-02", "now", "", "0001-01-01T00:00:00+14:00"])
def test_a_time_without_a_zone_or_outside_the_calendar_is_refused_even_if_it_is_signed(stamp: str) -> None:
    for text, passes in ((stamp, False), ("2026-11-02T07:14:04Z", True)):
        signature = base64.b64encode(hmac.digest(b"key", text.encode() + BODY, "sha256")).decode()
        headers = {ZENDESK.header: signature, ZENDESK.timestamp_header or "": text}
        if passes:
            verify_hmac(ZENDESK, delivery(headers), ["key"], now=AT["zendesk"])
            continue
        with pytest.raises(InvalidSignature, match="timestamp"):
            verify_hmac(ZENDESK, delivery(headers), ["key"], now=AT["zendesk"])


def test_a_time_in_the_signature_itself_has_to_be_there_once() -> None:
    signature = hmac.new(b"key", b"12." + BODY, hashlib.sha256).hexdigest()
    scheme = replace(MAINTAINX, tolerance=None)
    verify_hmac(scheme, delivery({scheme.header: f"t=12,v1={signature}"}), ["key"], now=0)
    for items in (f"v1={signature}", f"t=12,t=12,v1={signature}", f"t=13,v1={signature}"):
        with pytest.raises(InvalidSignature):
            verify_hmac(scheme, delivery({scheme.header: items}), ["key"], now=0)


@pytest.mark.parametrize("name", HEADERS)
def test_a_missing_header_is_named(name: str) -> None:
    with pytest.raises(InvalidSignature, match=name):
        standard({key: value for key, value in HEADERS.items() if key != name})


def test_a_changed_body_or_another_secret_is_refused() -> None:
    with pytest.raises(InvalidSignature):
        standard(HEADERS, BODY + b" ")
    with pytest.raises(InvalidSignature):
        standard(HEADERS, BODY, OTHER)
    with pytest.raises(InvalidSignature):
        verify_hmac(STANDARD, delivery(HEADERS), [], now=NOW)


BASIC = "Basic " + base64.b64encode(b"rolecall:a:secret").decode()


@pytest.mark.parametrize(
    ("proof", "good", "bad"),
    [
        (SecretInPath(), delivery({}, segment="a:secret/created"), delivery({}, segment="created/a:secret")),
        (
            SecretInHeader(header="X-Secret", prefix="Bearer "),
            delivery({"x-secret": "Bearer a:secret"}),
            delivery({"x-secret": "a:secret"}),
        ),
        (BasicAuth(user="rolecall"), delivery({"authorization": BASIC}), delivery({"authorization": BASIC[:-3]})),
        (BasicAuth(), delivery({"authorization": BASIC}), delivery({"authorization": "Bearer a:secret"})),
    ],
)
def test_a_secret_that_is_only_shown_passes_where_it_belongs(proof: Proof, good: Delivery, bad: Delivery) -> None:
    verify([proof], good, ["other", "a:secret"], now=0)
    for wrong, secrets in ((bad, ["a:secret"]), (good, ["other"]), (delivery({}), ["a:secret"]), (good, [])):
        with pytest.raises(InvalidSignature):
            verify([proof], wrong, secrets, now=0)


def test_another_user_of_basic_is_refused() -> None:
    with pytest.raises(InvalidSignature):
        verify([BasicAuth(user="somebody")], delivery({"authorization": BASIC}), ["a:secret"], now=0)


def test_any_of_several_proofs_is_enough_and_none_is_not() -> None:
    both = [StandardWebhooks(), SecretInHeader(header="X-Gitlab-Token")]
    verify(both, delivery({"x-gitlab-token": SECRET}), [SECRET], now=NOW)
    verify(both, delivery(HEADERS), [SECRET], now=NOW)
    for proofs in (both, []):
        with pytest.raises(InvalidSignature):
            verify(proofs, delivery({}), [SECRET], now=NOW)


@pytest.mark.parametrize(
    ("faulty", "reason"),
    [
        ({"message": "{timestamp}"}, "hold {body} once"),
        ({"message": "{body}{body}"}, "hold {body} once"),
        ({"message": "{body}{secret}"}, "no {secret}"),
        ({"message": "{timestamp}{body}"}, "needs either"),
        ({"message": "{timestamp}{body}", "timestamp_header": "a", "timestamp_prefix": "t="}, "needs either"),
        ({"message": "{timestamp}{body}", "timestamp_prefix": "t="}, "separator"),
        ({"message": "{id}{body}"}, "id_header"),
        ({"tolerance": 300}, "proves nothing"),
        ({"algorithm": "md5"}, "sha1"),
        ({"header": "two words"}, "name of a header"),
    ],
)
def test_a_scheme_that_would_prove_less_than_it_seems_cannot_be_written(faulty: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Hmac(**{"header": "x-signature", **faulty})


@given(st.dictionaries(st.sampled_from(list(HEADERS)), st.text(st.characters(exclude_categories=()))), st.binary())
def test_noise_is_refused_and_nothing_else(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(InvalidSignature):
        verify_hmac(STANDARD, Delivery(headers, body), [SECRET], now=NOW)


def test_a_secret_that_is_no_base64_is_named_at_start_up() -> None:
    with pytest.raises(ValueError, match="base64"):
        key_of(STANDARD, "whsec_not base64!")
    assert key_of(STANDARD, SECRET) == base64.b64decode(SECRET.removeprefix("whsec_"))
