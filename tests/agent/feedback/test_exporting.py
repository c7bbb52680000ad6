"""Known roles go out and come in again without loss: role, who, when, how strong, and every character of the text."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from agent.cli.importing import CHUNK
from agent.core import Parts
from agent.domain import Role, RoleCatalogue, Strength, Via
from agent.feedback.exporting import KINDS, guarded, joined, known_roles, unguarded, write
from agent.feedback.form import Told
from agent.feedback.history import read
from agent.feedback.importing import take_in
from agent.feedback.named_roles import named_roles
from agent.store.tables import Review, Ticket

AT = datetime(2026, 3, 4, 5, 6, 7, 891234, tzinfo=UTC)
TEXTS = (
    "=HYPERLINK(\"http://x\",\"y\")", "'=1+1", "''@x", "-", "\t+1", "a;b,c\r\nd\n\ne", '"quoted', "desk,1,x,Network",
    "Umlaut: Gerät \U0001f41b \u202e", " blanks around ", "\r", "''", "1,2\n3,4\n5,6",
)  # fmt: skip


def fill(session: Session) -> None:
    """Store a ticket for each text, with reviews of every strength, one taken back, and one that says nothing."""
    strengths = [strength for strength in Strength if strength > Strength.REOPENED]
    for number, text in enumerate(TEXTS):
        key = f"desk:{number}"
        session.add(Ticket(key=key, subject=text, body=f"{text}x{text}", filed_at=AT, requester=f"r{number}"))
        roles: list[str] = [["Network"], ["Network", "Electrician"], []][number % 3]
        strength = strengths[number % len(strengths)]
        given: dict[str, Any] = {"ticket_key": key, "at": AT + timedelta(minutes=number)}
        actor = text if number % 2 else None
        session.add(
            Review(
                **given, roles=roles, rejected=["Electrician"], strength=strength, via=Via.PAGE, origin="a", actor=actor
            )
        )
        session.add(Review(**given, roles=["Electrician"], strength=5, via=Via.PAGE, origin="b", withdrawn="c"))
    session.add(Ticket(key="desk:open", subject="nobody said", body="", filed_at=AT))
    session.add(Ticket(key="desk:again", subject="reopened", body="", filed_at=AT))
    session.add(Review(ticket_key="desk:again", roles=[], strength=0, via=Via.REOPENING, origin="d", at=AT))


def exported(parts: Parts, file: Path) -> list[dict[str, str]]:
    catalogue = parts.classifier.catalogue
    parts.database.call(lambda session: write(file, known_roles(session, catalogue)))
    return parts.database.call(lambda session: list(known_roles(session, catalogue)))


def imported(parts: Parts, file: Path, source: str = "import") -> int:
    history = read(file, Told(), parts.classifier.catalogue)
    assert (history.faults, history.form.own) == ((), True)
    rows = list(history.rows())
    return sum(
        parts.database.call(take_in, source, rows[at : at + CHUNK], "importer", parts.classifier.catalogue)
        for at in range(0, len(rows), CHUNK)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_out_comes_in_without_loss(parts_for: Callable[..., Parts], tmp_path: Path, kind: str) -> None:
    here, there = parts_for(), parts_for(data=tmp_path / "other")
    here.database.call(fill)
    before = exported(here, tmp_path / f"known{kind}")
    assert len(before) == len(TEXTS)
    assert imported(there, tmp_path / f"known{kind}") == len(TEXTS)
    after = exported(there, tmp_path / f"again{kind}")
    assert after == before
    assert imported(there, tmp_path / f"known{kind}") == 0  # a second time adds nothing
    assert imported(here, tmp_path / f"known{kind}") == 0  # nor where it came from
    strengths = {row.strength for row in there.database.call(lambda s: s.exec(select(Review)).all())}
    assert strengths == set(Strength) - {Strength.REOPENED}
    assert (tmp_path / f"known{kind}").stat().st_mode & 0o077 == 0


def test_a_role_that_was_mended_in_the_file_counts(parts: Parts, tmp_path: Path) -> None:
    parts.database.call(fill)
    file = tmp_path / "known.csv"
    exported(parts, file)
    file.write_text(file.read_text("utf-8-sig").replace(",Network,", ",Electrician,", 1), "utf-8-sig")
    assert imported(parts, file) == 1


def test_no_cell_starts_a_formula(parts: Parts, tmp_path: Path) -> None:
    parts.database.call(fill)
    exported(parts, tmp_path / "known.csv")
    with (tmp_path / "known.csv").open(encoding="utf-8-sig", newline="") as opened:
        cells = [cell for row in csv.reader(opened) for cell in row]
    assert [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell] == []


@given(st.text(alphabet="'=+-@\t\rax", max_size=9))
def test_a_guarded_cell_comes_back_as_it_was(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell
    assert guarded(cell)[:1] not in tuple("=+-@\t\r")


def test_names_with_signs_between_them_are_read_as_they_were() -> None:
    catalogue = RoleCatalogue([Role("A; B"), Role("C, D"), Role("E")])
    for names in (("A; B",), ("A; B", "E"), ("C, D", "E"), ("E",)):
        assert named_roles(joined(names), catalogue).roles == names


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def rows() -> Any:
        yield dict.fromkeys(("id", "subject"), "x")
        raise OSError("no space left")

    (tmp_path / "known.csv").write_text("before")
    with pytest.raises((OSError, KeyError)):
        write(tmp_path / "known.csv", rows())
    assert [file.name for file in tmp_path.iterdir()] == ["known.csv"]
    assert (tmp_path / "known.csv").read_text() == "before"


def test_faulty_rows_of_our_own_files_are_named(parts: Parts, tmp_path: Path) -> None:
    parts.database.call(fill)
    exported(parts, tmp_path / "known.csv")
    text = (tmp_path / "known.csv").read_text("utf-8-sig")
    (tmp_path / "bad.csv").write_text(text.replace(",closed,", ",certain,", 1).replace(",corrected,", ",reopened,", 1))
    history = read(tmp_path / "bad.csv", Told(), parts.classifier.catalogue)
    assert history.faulty == 2
    assert "strength 'certain' is none of ours" in " ".join(history.faults)
