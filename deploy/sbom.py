"""Write what an installation consists of: a bill of materials (CycloneDX) and a list of licences.

    make sbom        build/rolecall.cdx.json, and deploy/licences.md

Both name what deploy/requirements.txt installs on Linux, and torch, which comes from an index of its own. Licences are
those that the installed distributions declare; where one declares none, its licence file was read by a person.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
REQUIREMENTS, CONSTRAINTS = ROOT / "deploy" / "requirements.txt", ROOT / "constraints.txt"
BILL, LIST = ROOT / "build" / "rolecall.cdx.json", ROOT / "deploy" / "licences.md"
WITHOUT_HASH = "torch"
"""The one distribution whose file differs by index: it is pinned by its version alone."""

PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)(?: ; (.+?))?(?: \\)?$")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
CLASSIFIER = "License :: OSI Approved :: "
READ_BY_A_PERSON = {"infisicalsdk": "MIT", "cleanlab": "Apache-2.0"}
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0 License": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""What classifiers and free texts say, as SPDX identifiers; "BSD" does not say which."""

HEAD = """# Licences of what an installation consists of

Made by `make sbom` from what the distributions declare. Rolecall's own licence is [MIT](../LICENSE).

| package | version | licence |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One distribution that is installed; `hashes` are those of its files, whichever the platform takes."""

    name: str
    version: str
    licence: str
    hashes: tuple[str, ...] = ()


def main() -> None:
    """Write both files."""
    found = list(parts(REQUIREMENTS.read_text("utf-8"), CONSTRAINTS.read_text("utf-8")))
    BILL.parent.mkdir(exist_ok=True)
    BILL.write_text(bill(found), "utf-8")
    LIST.write_text(listed(found), "utf-8")


def parts(requirements: str, constraints: str) -> Iterator[Part]:
    """Yield what is installed on this platform, by name. Raises PackageNotFoundError for what is not installed here."""
    pins = {pin[1]: (pin[2], ()) for line in constraints.splitlines() if (pin := PIN.match(line))}
    wanted: dict[str, tuple[str, tuple[str, ...]]] = {WITHOUT_HASH: pins[WITHOUT_HASH]}
    for block in re.split(r"\n(?=[a-z])", requirements):
        pin = PIN.match(block.partition("\n")[0])
        if pin and (pin[3] is None or applies(f"{pin[1]} ; {pin[3]}")):
            wanted[pin[1]] = pin[2], tuple(HASH.findall(block))
    for name, (version, hashes) in sorted(wanted.items()):
        yield Part(name, version, licence(name, distribution(name).metadata), hashes)


def applies(requirement: str) -> bool:
    """Tell whether a requirement's marker holds here."""
    marker = Requirement(requirement).marker
    return marker is None or marker.evaluate()


def licence(name: str, declared: PackageMetadata) -> str:
    """Return the SPDX expression of what a distribution declares; an empty text where it declares nothing short."""
    if expression := declared.get("License-Expression"):
        return str(expression)
    classifiers = declared.get_all("Classifier") or ()
    named = [each.removeprefix(CLASSIFIER) for each in classifiers if each.startswith(CLASSIFIER)]
    free = str(declared.get("License") or "")
    if not named and free and "\n" not in free:
        named = [free]
    return " OR ".join(SPDX.get(each, each) for each in named) or READ_BY_A_PERSON.get(name, "")


def bill(found: Sequence[Part]) -> str:
    """Return the bill of materials as CycloneDX 1.6, in JSON."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    made = LicenseFactory()
    whole = Component(name=project["name"], version=project["version"], type=ComponentType.APPLICATION)
    whole.licenses.add(made.make_from_string(project["license"]))
    document = Bom()
    document.metadata.component = whole
    components = {part.name: component(part, made) for part in found}
    document.components.update(components.values())
    document.register_dependency(whole, [components[name] for name in needs(project["name"], components)])
    for name, each in components.items():
        document.register_dependency(each, [components[other] for other in needs(name, components)])
    return JsonV1Dot6(document).output_as_string(indent=1) + "\n"


def component(part: Part, made: LicenseFactory) -> Component:
    """Return one line of the bill."""
    address = PackageURL(type="pypi", name=part.name, version=part.version)
    entry = Component(name=part.name, version=part.version, purl=address, bom_ref=str(address))
    entry.licenses.add(made.make_from_string(part.licence))
    entry.hashes.update(HashType(alg=HashAlgorithm.SHA_256, content=each) for each in part.hashes)
    return entry


def needs(name: str, components: dict[str, Component]) -> list[str]:
    """Return which of the components a distribution asks for."""
    asked = {canonicalize_name(Requirement(each).name) for each in distribution(name).requires or ()}
    return sorted(asked & components.keys())


def listed(found: Sequence[Part]) -> str:
    """Return the list of licences, in Markdown."""
    return HEAD + "".join(f"| {part.name} | {part.version} | {part.licence} |\n" for part in found)


if __name__ == "__main__":
    main()
