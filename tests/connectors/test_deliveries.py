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
    ("body", "reason"),
    [
        (gzip.compress(b"{}", mtime=0), "compressed"),
        (rb'{"text": "\ud83d", "text": "b"}', "duplicate"),
        (rb'{"text": "\ud8"}', "not JSON"),
        (b'{"text": "\\', "not JSON"),
    ],
)
def test_what_is_no_json_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedPayload, match=reason):
        read_json(body)
