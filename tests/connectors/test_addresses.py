"""An address that a token may be sent to is a ticketing system's, and the way there is private."""

from __future__ import annotations

import pytest

from connectors.http import base_url, in_clear

NOBODY = (
    *("", "desk", "//desk", "ftp://desk", "file:///etc/passwd", "https://", "https://user@desk", "https://desk?x=1"),
    *("http://169.254.169.254/latest", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/", "http://224.0.0.1/"),
    "https://metadata.google.internal./computeMetadata",
)


@pytest.mark.parametrize("url", NOBODY)
def test_what_cannot_be_a_ticketing_system_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        base_url(url)


@pytest.mark.parametrize("url", ["https://desk.example/support/", "http://127.0.0.1:8000", "https://10.0.0.5/"])
def test_a_system_of_ones_own_may_be_anywhere(url: str) -> None:
    assert base_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "clear"),
    [
        ("https://desk.example", False),
        ("http://desk.example", True),
        ("http://helpdesk:8000", True),
        ("http://localhost:8000", False),
        ("http://127.0.0.9", False),
        ("http://[::1]:80", False),
        ("http://localhost.example", True),
        ("http://10.0.0.5", True),
    ],
)
def test_only_loopback_needs_no_encryption(url: str, clear: bool) -> None:
    assert in_clear(url) is clear
