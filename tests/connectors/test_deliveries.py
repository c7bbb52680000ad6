"""Shared secrets: one of the active ones passes, everything else is InvalidSignature."""

from __future__ import annotations

import gzip

import pytest

from connectors.deliveries import Text, Wire, decode, read_json, verify_shared_secret
from connectors.errors import InvalidSignature, MalformedPayload


class Said(Wire):
    """Anything with a text."""

    text: Text


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


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb'{"text": "cut \ud83d"}', "cut \ufffd"),
        (rb'{"text": "\uDE00 \ud83d\ude00 \\ud83d"}', "\ufffd \U0001f600 \\ud83d"),
        (rb'{"text": "a\u0000b"}', "ab"),
    ],
)
def test_what_no_database_keeps_in_one_text_does_not_hide_the_document(body: bytes, text: str) -> None:
    """A text that was cut in the middle of an emoji, or a mail with NUL, may be one ticket of a page of a hundred."""
    assert decode(Said, body).text == text
    assert read_json(body)["text"].replace("\0", "") == text


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + rb'{"text": "50 % & +"}',
        b"payload=%7B%22text%22%3A+%2250+%25+%26+%2B%22%7D",
        b"payload=%7B%22text%22%3A+%2250+%25+%26+%2B%22%7D&v=1",
        b"\xef\xbb\xbfpayload=%7B%22text%22%3A+%2250+%25+%26+%2B%22%7D",
    ],
)
def test_a_document_is_read_behind_a_byte_order_mark_and_in_a_field_of_a_form(body: bytes) -> None:
    """SharePoint and .NET write the mark; GitHub sends a form unless its webhook is told to send JSON."""
    assert read_json(body) == {"text": "50 % & +"}
    assert decode(Said, body).text == "50 % & +"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (gzip.compress(b"{}", mtime=0), "compressed"),
        (rb'{"text": "\ud83d", "text": "b"}', "duplicate"),
        (rb'{"text": "\ud8"}', "not JSON"),
        (b'{"text": "\\', "not JSON"),
        (b"payload=" * 100_000, "not JSON"),
        (b"\xef\xbb\xbf" * 2 + b"{}", "not JSON"),
    ],
)
def test_what_is_no_json_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedPayload, match=reason):
        read_json(body)
