"""What an image consists of: every file held to a hash, each with a licence that is known, named in one bill."""

from __future__ import annotations

import json
import re
from importlib.metadata import metadata
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from packaging.utils import canonicalize_name

from deploy import sbom
from tests.security.test_dependencies import BUILD_TOOLS, OURS, needed, pins
from tests.shared import Late

validation = Late("cyclonedx.validation.json")

ROOT = Path(__file__).parents[2]
HASHED = ("deploy/requirements.txt", "deploy/serving-requirements.txt")
SHIPPED_EXTRAS = "azure,cluster,llm,oidc,tracing"
LICENCES = {
    "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python", "ISC",
    "LGPL-3.0-only", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib",
}  # fmt: skip
"""None of them asks for the source of Rolecall: LGPL and MPL concern changes to the package itself."""


def lines(file: str) -> dict[str, tuple[str, str | None, list[str]]]:
    """Return version, marker and hashes by name. Raises AssertionError for a line that is none of these."""
    found: dict[str, tuple[str, str | None, list[str]]] = {}
    for block in re.split(r"\n(?! )", (ROOT / file).read_text("utf-8").strip()):
        if not block.startswith("#"):
            pin = sbom.PIN.match(block.partition("\n")[0])
            assert pin is not None, block
            found[pin[1]] = pin[2], pin[3], sbom.HASH.findall(block)
            assert len(block.splitlines()) == 1 + len(found[pin[1]][2]), block
    return found


@pytest.mark.parametrize("file", HASHED)
def test_every_line_names_a_version_that_was_tested_and_the_hashes_of_its_files(file: str) -> None:
    constrained = pins((ROOT / "constraints.txt").read_text("utf-8"))
    for name, (version, marker, hashes) in lines(file).items():
        elsewhere = marker is not None and not sbom.applies(f"{name} ; {marker}")
        assert (version == constrained.get(name)) or elsewhere, f"{name}: make requirements"
        assert hashes, name


def test_all_that_we_lead_to_is_listed_but_torch() -> None:
    reached = {name for name in needed(f"{OURS}[{SHIPPED_EXTRAS}]") if name != OURS}
    here = {
        name for name, (_, marker, _) in lines(HASHED[0]).items() if not marker or sbom.applies(f"{name}; {marker}")
    }
    assert reached - here == {sbom.WITHOUT_HASH}, "make requirements"
    assert here - reached <= BUILD_TOOLS


def test_replicas_without_training_get_the_same_files() -> None:
    whole, serving = map(lines, HASHED)
    assert {name for name in serving if serving[name][2] != whole[name][2]} == set()
    assert len(serving) < len(whole)


@pytest.mark.parametrize("file", HASHED)
def test_no_line_names_where_it_comes_from(file: str) -> None:
    assert "://" not in (ROOT / file).read_text("utf-8")


@pytest.fixture(scope="module")
def parts() -> list[sbom.Part]:
    return list(sbom.parts(sbom.REQUIREMENTS.read_text("utf-8"), sbom.CONSTRAINTS.read_text("utf-8")))


def test_the_list_of_licences_is_what_the_distributions_declare(parts: list[sbom.Part]) -> None:
    assert sbom.LIST.read_text("utf-8") == sbom.listed(parts), "make sbom"


def test_every_licence_is_known_and_asks_for_nothing_that_we_do_not_do(parts: list[sbom.Part]) -> None:
    named = {part.name: set(re.split(r" (?:AND|OR|WITH) ", part.licence)) for part in parts}
    exceptions = {"LLVM-exception"}  # of torch: leaves out a duty
    assert {name: found - LICENCES - exceptions for name, found in named.items() if found - LICENCES - exceptions} == {}


def test_a_licence_that_is_not_declared_is_not_guessed() -> None:
    """The control."""
    undeclared = metadata("infisicalsdk")
    assert sbom.licence("infisicalsdk", undeclared) == "MIT"
    assert sbom.licence("another", undeclared) == ""


def test_the_bill_is_cyclonedx_and_names_every_part_with_its_hashes(parts: list[sbom.Part]) -> None:
    text = sbom.bill(parts)
    assert validation.JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    assert {each["name"]: each["version"] for each in bill["components"]} == {p.name: p.version for p in parts}
    assert [each["name"] for each in bill["components"] if not each.get("hashes")] == [sbom.WITHOUT_HASH]
    assert all(each["licenses"] for each in bill["components"])
    edges = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    torch = next(each["bom-ref"] for each in bill["components"] if each["name"] == sbom.WITHOUT_HASH)
    assert torch in edges[bill["metadata"]["component"]["bom-ref"]]
    assert str(ROOT) not in text


def test_what_is_no_bill_is_noticed() -> None:
    """The control."""
    assert validation.JsonStrictValidator(SchemaVersion.V1_6).validate_str('{"bomFormat": "CycloneDX"}') is not None


def test_names_are_written_as_indexes_compare_them() -> None:
    assert {name for file in HASHED for name in lines(file) if name != canonicalize_name(name)} == set()
