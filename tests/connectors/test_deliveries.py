"""Signatures: genuine ones pass, every anomaly is InvalidSignature."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.deliveries import standard_key, verify_shared_secret, verify_standard_webhook
from connectors.errors import InvalidSignature

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


def test_the_published_example_passes() -> None:
    verify_standard_webhook(HEADERS, BODY, [SECRET], now=NOW)


def test_our_check_agrees_with_the_recorded_vector() -> None:
    if not VECTORS.exists():
        pytest.skip("the collection of signature vectors is not beside this checkout")
    vectors: list[dict[str, Any]] = json.loads(VECTORS.read_text())
    (vector,) = [vector for vector in vectors if vector["system"] == "standard_webhooks"]
    now = float(vector["headers"]["webhook-timestamp"])
    verify_standard_webhook(vector["headers"], vector["raw_body_utf8"].encode(), [vector["key"]], now=now)


def test_any_active_secret_and_any_given_signature_may_match() -> None:
    headers = HEADERS | {"webhook-signature": f"v1a,xxx v1,AAAA {HEADERS['webhook-signature']}"}
    verify_standard_webhook(headers, BODY, [OTHER, SECRET], now=NOW)


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
        ({}, NOW + 301),
        ({}, NOW - 301),
    ],
)
def test_a_changed_stale_or_unreadable_proof_is_refused(change: dict[str, str], now: float) -> None:
    with pytest.raises(InvalidSignature):
        verify_standard_webhook(HEADERS | change, BODY, [SECRET], now=now)


@pytest.mark.parametrize("name", HEADERS)
def test_a_missing_header_is_named(name: str) -> None:
    headers = {key: value for key, value in HEADERS.items() if key != name}
    with pytest.raises(InvalidSignature, match=name):
        verify_standard_webhook(headers, BODY, [SECRET], now=NOW)


def test_a_changed_body_or_another_secret_is_refused() -> None:
    with pytest.raises(InvalidSignature):
        verify_standard_webhook(HEADERS, BODY + b" ", [SECRET], now=NOW)
    with pytest.raises(InvalidSignature):
        verify_standard_webhook(HEADERS, BODY, [OTHER], now=NOW)
    with pytest.raises(InvalidSignature):
        verify_standard_webhook(HEADERS, BODY, [], now=NOW)


@given(st.dictionaries(st.sampled_from(list(HEADERS)), st.text(st.characters(exclude_categories=()))), st.binary())
def test_noise_is_refused_and_nothing_else(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(InvalidSignature):
        verify_standard_webhook(headers, body, [SECRET], now=NOW)


def test_a_secret_that_is_no_base64_is_named_at_start_up() -> None:
    with pytest.raises(ValueError, match="base64"):
        standard_key("whsec_not base64!")


def test_a_shared_secret_passes_whichever_of_the_active_ones_it_is() -> None:
    verify_shared_secret("new", ["old", "new"])
    verify_shared_secret("old", ["old", "new"])


@pytest.mark.parametrize("given", ["", "ol", "older", "OLD", "old ", "\ud800", "ö" * 10_000])
def test_any_other_shared_secret_is_refused(given: str) -> None:
    with pytest.raises(InvalidSignature):
        verify_shared_secret(given, ["old", "new"])


def test_without_an_active_secret_nothing_passes() -> None:
    with pytest.raises(InvalidSignature):
        verify_shared_secret("", [])
