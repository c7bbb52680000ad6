"""What is installed is what was pinned: an advisory about a version in constraints.txt is about what runs.

Whether there are advisories cannot be known without the internet; CONTRIBUTING.md says how and when to ask.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([0-9][A-Za-z0-9.+!]*)$")
OURS = "rolecall"
BUILD_TOOLS = {"pip", "setuptools", "wheel"}


def pins(text: str) -> dict[str, str]:
    """Return the version of each name. Raises ValueError for a line that is no exact pin, and for a second pin."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        pin = PIN.match(line)
        if pin is None:
            raise ValueError(f"not an exact pin: {line}")
        name = canonicalize_name(pin[1])
        if name in found:
            raise ValueError(f"pinned twice: {line}")
        found[name] = pin[2]
    return found


def needed(ours: str = f"{OURS}[azure,cluster,dev]") -> dict[str, Distribution]:
    """Return every installed distribution that ours leads to with some of its extras, however far."""
    reached: dict[str, Distribution] = {}
    open_ends = [Requirement(ours)]
    seen: set[str] = set()
    while open_ends:
        requirement = open_ends.pop()
        extras = requirement.extras or {""}
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        found = distribution(requirement.name)
        reached[canonicalize_name(requirement.name)] = found
        for text in found.requires or ():
            further = Requirement(text)
            if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in extras):
                open_ends.append(further)
    return reached


def strays(pinned: Mapping[str, str], installed: Iterable[Distribution]) -> list[str]:
    """Return what is installed in another version than the pinned one, or without a pin."""
    there = {canonicalize_name(found.metadata["Name"]): found.version for found in installed}
    checked = {name: version for name, version in there.items() if name not in {OURS, *BUILD_TOOLS}}
    return sorted(f"{name} {version}" for name, version in checked.items() if not _is(version, pinned.get(name)))


def _is(version: str, pinned: str | None) -> bool:
    """Tell whether a version is the pinned one; torch has builds of it, such as 2.0+cpu."""
    return pinned is not None and SpecifierSet(f"=={pinned}").contains(version, prereleases=True)


def test_every_distribution_that_we_lead_to_is_installed_as_pinned() -> None:
    pinned, reached = pins((ROOT / "constraints.txt").read_text()), needed()
    assert len(reached) > 100
    assert strays(pinned, reached.values()) == []


def test_nothing_comes_from_elsewhere_than_a_package_index() -> None:
    elsewhere = [found.metadata["Name"] for found in distributions() if found.read_text("direct_url.json")]
    assert [name for name in elsewhere if canonicalize_name(name) != OURS] == []


NO_PINS = ("httpx", "httpx>=1", "httpx==1.*", "httpx @ https://x.test/h.whl", "-e .", "httpx==1,<2")


@pytest.mark.parametrize("line", NO_PINS)
def test_a_pin_that_is_none_is_noticed(line: str) -> None:
    """The control."""
    with pytest.raises(ValueError, match="not an exact pin"):
        pins(line)


def test_another_version_is_noticed() -> None:
    """The control."""
    assert strays({"httpx": "0.0.1"}, [distribution("httpx")]) == [f"httpx {distribution('httpx').version}"]
    with pytest.raises(ValueError, match="twice"):
        pins("httpx==1\nHTTPX==2")
