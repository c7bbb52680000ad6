"""Where a system may be, as an operator names it: an address that its token can be sent to.

Nothing else ever decides where a request goes: no payload, no answer, no redirect (connectors.http).
Source: OWASP Server-Side Request Forgery Prevention Cheat Sheet.
"""

from __future__ import annotations

import ipaddress

import httpx

METADATA = frozenset({"metadata.google.internal", "metadata.goog", "metadata"})


def base_url(value: str) -> str:
    """Return the address without a slash at the end. Raises ValueError for one that cannot be a system's."""
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL:
        raise ValueError("not a URL") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("has to begin with http:// or https:// and a host")
    if url.userinfo or url.query or url.fragment:
        raise ValueError("must have no user, query or fragment")
    address = _address(url.host)
    if url.host.rstrip(".").lower() in METADATA or (address and (address.is_link_local or address.is_multicast)):
        raise ValueError("is where clouds keep their machines' credentials, not a ticketing system")
    return value.rstrip("/")


def in_clear(url: str) -> bool:
    """Tell whether what is sent to this address, its token first, crosses a network unencrypted."""
    parsed = httpx.URL(url)
    address = _address(parsed.host)
    here = parsed.host == "localhost" or (address is not None and address.is_loopback)
    return parsed.scheme == "http" and not here


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
