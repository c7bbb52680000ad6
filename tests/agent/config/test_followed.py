"""A file that somebody is writing is not read by halves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.config.followed import Followed
from agent.errors import ConfigurationError, Fault


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    write(path, "first")
    return path


def write(path: Path, content: str) -> None:
    """Write in place, as many editors do, and a moment later than before."""
    later = path.stat().st_mtime_ns + 1 if path.exists() else 0
    path.write_text(content)
    os.utime(path, ns=(later, later))


def read(path: Path) -> str:
    try:
        content = path.read_text()
    except OSError:
        raise ConfigurationError([Fault(path.name, "missing")]) from None
    if content == "faulty":
        raise ConfigurationError([Fault(path.name, "faulty")])
    return content


def test_a_file_counts_once_two_looks_find_it_the_same(file: Path) -> None:
    followed = Followed(file, read)
    assert followed.refresh() is None
    write(file, "")
    assert followed.refresh() is None
    write(file, "half")
    assert followed.refresh() is None
    write(file, "half and half")
    assert [followed.refresh() for _ in range(3)] == [None, "half and half", None]
    assert followed.refresh(again=True) == "half and half"


def test_what_was_replaced_whole_counts_at_once(file: Path) -> None:
    followed = Followed(file, read)
    write(file, "second")
    assert [followed.refresh(whole=True), followed.refresh(whole=True)] == ["second", None]


def test_a_file_that_is_gone_for_a_moment_is_no_fault(file: Path) -> None:
    followed = Followed(file, read)
    file.unlink()
    assert (followed.refresh(), followed.problem) == (None, "")
    write(file, "second")
    assert [followed.refresh(), followed.refresh(), followed.problem] == [None, "second", ""]


def test_what_is_written_while_it_is_read_is_read_again(file: Path) -> None:
    writes = iter(["second", "third"])

    def slow(path: Path) -> str:
        content = read(path)
        if (more := next(writes, None)) is not None:
            write(path, more)
        return content

    followed = Followed(file, slow)
    assert followed.refresh(again=True) is None
    assert [followed.refresh() for _ in range(5)] == [None, None, None, "third", None]


def test_a_faulty_file_is_named_once_at_rest_and_due_again_when_mended(file: Path) -> None:
    followed = Followed(file, read)
    write(file, "faulty")
    looks = [(followed.refresh(), followed.problem) for _ in range(3)]
    assert looks == [(None, ""), (None, "rules.toml: faulty"), (None, "rules.toml: faulty")]
    write(file, "mended")
    assert [(followed.refresh(), followed.problem) for _ in range(2)] == [(None, "rules.toml: faulty"), ("mended", "")]


def test_a_file_in_work_is_not_read_for_what_it_refers_to(file: Path) -> None:
    followed = Followed(file, read)
    write(file, "")
    assert followed.refresh(again=True) is None
    write(file, "second")
    assert [followed.refresh(), followed.refresh()] == [None, "second"]
