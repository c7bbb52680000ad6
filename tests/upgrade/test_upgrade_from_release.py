"""An installation of release 0.1 goes on under this one: nothing is lost, said twice, or answered otherwise."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.store.database import Database
from tests.shared import exported_encoders
from tests.upgrade.helpdesk import Helpdesk
from tests.upgrade.installation import HOOK, Installation, deliver, idle, opinion, until

pytestmark = pytest.mark.xdist_group("upgrade")  # one server for all, in whichever worker

FIXTURE = Path(__file__).with_name("release_0_1")
RELEASE = json.loads((FIXTURE / "answers.json").read_text("utf-8"))
DUMP = (FIXTURE / "data/rolecall.sql").read_text("utf-8")
CONFIRMED, CORRECTED, CLOSED, MUTE, QUEUED, UNTOLD = 7, 5, 8, 10, 12, 13
"""Tickets: three that staff answer now, of the dead letter, of the event that waits, filed while no server ran."""

ANSWERED_NOW = {CONFIRMED, CORRECTED, CLOSED, MUTE, QUEUED}
"""On all other tickets of the release nothing new may happen."""

HARDWARE_QUEUE = 3
TOLERANCE = 1e-3

OUTCOMES = {"tagged": "clear", "guessed": "either_or", "abstained": "none", "skipped": "none"}
"""What the release called the outcome of a decision, and what it is called now."""

REASONS = {"no role is probable enough": "unsure", "staff named the role first": "staff_first"}
IN_TODAYS_WORDS = (
    "".join(
        f"UPDATE decision SET {column} = '{new}' WHERE {column} = '{old}';"
        for column, words in (("outcome", OUTCOMES), ("reason", REASONS))
        for old, new in words.items()
    )
    + "ALTER TABLE decision DROP COLUMN band;"
    + "UPDATE review SET strength = strength + 1 WHERE strength >= 3;"  # moves by staff came between
)

Lost = dict[str, set[tuple[Any, ...]]]


def restore(folder: Path, encoders: Path) -> Installation:
    """Put the installation as the release left it into a folder.

    Its 90 MB of base encoder are exported again: those in `encoders`. torch writes its own version into the graph, so
    the manifests, which vouch for the file, are given the hash of this one.
    """
    shutil.copytree(FIXTURE / "config", folder / "config")
    shutil.copytree(FIXTURE / "data", folder / "data")
    shutil.copyfile(FIXTURE / "env", folder / ".env")
    shutil.copytree(encoders, folder / "data/encoders", dirs_exist_ok=True)
    (encoder,) = (folder / "data/encoders").iterdir()
    graph = hashlib.sha256((encoder / "body.onnx").read_bytes()).hexdigest()
    for file in (folder / "data").glob("*models/**/manifest.json"):
        manifest = json.loads(file.read_text("utf-8"))
        assert manifest["encoder"] == encoder.name
        manifest["files"]["body.onnx"] = graph
        file.write_text(json.dumps(manifest), "utf-8")
    installation = Installation(folder, Path(sys.executable).with_name("rolecall"))
    with closing(sqlite3.connect(installation.database)) as connection:
        connection.executescript(DUMP)
    return installation


def lost(after: sqlite3.Connection) -> Lost:
    """Return, by table, the release's rows that a database does not hold with all their columns and values."""
    gone: Lost = {}
    with closing(sqlite3.connect(":memory:")) as before:
        before.executescript(DUMP)
        before.executescript(IN_TODAYS_WORDS)
        for table, columns in tables(before).items():
            held = rows(after, table, columns) if columns <= tables(after).get(table, set()) else set()
            gone[table] = rows(before, table, columns) - held
    del gone["alembic_version"]  # a newer schema says so
    return {table: missing for table, missing in gone.items() if missing}


def tables(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """Return the columns of each table."""
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {n: {row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (n,))} for n in names}


def rows(connection: sqlite3.Connection, table: str, columns: set[str]) -> set[tuple[Any, ...]]:
    names = ", ".join(f'"{column}"' for column in sorted(columns))
    return set(connection.execute(f'SELECT {names} FROM "{table}"'))


@dataclass(frozen=True)
class Upgraded:
    """What this release made of the installation before it served; and how it serves, ten questions later."""

    checked: str
    lost: Lost
    listed: str
    answers: dict[int, Mapping[str, Any]]
    installation: Installation
    helpdesk: Helpdesk
    client: httpx.Client

    def reviews(self, number: int) -> list[list[str]]:
        """Return the roles that staff have given a ticket, oldest first."""
        sql = "SELECT roles FROM review WHERE ticket_key = ? ORDER BY id"
        return [json.loads(roles) for (roles,) in self.installation.select(sql, f"django-helpdesk:{number}")]

    def comment(self, number: int) -> str:
        """Return the text of the only comment on a ticket."""
        (comment,) = self.helpdesk.comments(number)
        return str(comment["comment"])


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    """Bring the installation up beside its helpdesk, and ask what the release was asked before anybody reviews."""
    installation = restore(tmp_path_factory.mktemp("upgrade"), exported_encoders(tmp_path_factory))
    helpdesk = Helpdesk.load(FIXTURE / "helpdesk.json")
    with helpdesk.serving() as address:
        installation.connect(address)
        checked, listed = installation.run("check"), installation.run("models", "list")
        Database.open_file(installation.database).close()
        with closing(sqlite3.connect(installation.database)) as connection:
            missing = lost(connection)
        helpdesk.file("Router of the branch is off", "Nobody there has a network.")
        with installation.serving() as client:
            idle(client)
            asked = [helpdesk.file(each["subject"], each["body"]) for each in RELEASE["asked"]]
            deliver(client, *asked)
            answers = {body["ticket"]["id"]: opinion(installation, body["ticket"]["id"]) for body in asked}
            yield Upgraded(checked, missing, listed, answers, installation, helpdesk, client)


def test_no_row_is_lost(upgraded: Upgraded) -> None:
    assert upgraded.lost == {}


def test_a_lost_row_would_be_noticed() -> None:
    """Control."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(DUMP)
        assert {t: database.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables(database)} == RELEASE[
            "rows"
        ]
        database.executescript(IN_TODAYS_WORDS)
        assert lost(database) == {}
        database.execute("DELETE FROM watermark")
        database.execute("UPDATE review SET strength = 0 WHERE id = 1")
        assert {table: len(missing) for table, missing in lost(database).items()} == {"review": 1, "watermark": 1}


def test_the_check_finds_the_model_and_reaches_the_helpdesk_with_the_old_secret(upgraded: Upgraded) -> None:
    assert "FAIL" not in upgraded.checked
    assert RELEASE["asked"][0]["answer"]["model"] in upgraded.checked
    assert "open tickets" in upgraded.checked


def test_both_versions_of_the_model_are_there(upgraded: Upgraded) -> None:
    versions = sorted(file.parent.name for file in (FIXTURE / "data/models").glob("*/manifest.json"))
    assert len(versions) == 2
    rows = [line for line in upgraded.listed.splitlines() if "frozen" in line]
    assert [[version for version in versions if version in row] for row in rows] == [[one] for one in versions]


def test_the_model_answers_as_it_did(upgraded: Upgraded) -> None:
    for each, answer in zip(RELEASE["asked"], upgraded.answers.values(), strict=True):
        assert answer["probabilities"] == pytest.approx(each["answer"]["probabilities"], abs=TOLERANCE)
        for name in ("roles", "model"):
            assert answer[name] == each["answer"][name]
        assert answer["outcome"] == OUTCOMES[each["answer"]["outcome"]]


def test_a_new_ticket_gets_one_comment_or_silence(upgraded: Upgraded) -> None:
    expected = {number: int(answer["outcome"] != "none") for number, answer in upgraded.answers.items()}
    assert set(expected.values()) == {0, 1}
    assert {number: len(upgraded.helpdesk.comments(number)) for number in expected} == expected


def test_the_event_that_waited_is_worked_off(upgraded: Upgraded) -> None:
    assert "**Role: Network**" in upgraded.comment(QUEUED)


def test_a_look_goes_on_where_the_last_one_ended(upgraded: Upgraded) -> None:
    """What was filed while no server ran is found, and nothing is told again that the release knew."""
    until(lambda: upgraded.helpdesk.comments(UNTOLD), 60)
    assert "**Role: Network**" in upgraded.comment(UNTOLD)
    quiet = {int(number) for number in RELEASE["comments"]} - ANSWERED_NOW
    sql = "SELECT ticket_key, kind, delivery_id FROM inbox WHERE ticket_key = ?"
    with closing(sqlite3.connect(":memory:")) as before:
        before.executescript(DUMP)
        for number in quiet:
            key = (f"django-helpdesk:{number}",)
            assert upgraded.installation.select(sql, *key) == before.execute(sql, key).fetchall()
            texts = [row["comment"] for row in upgraded.helpdesk.comments(number)]
            assert texts == RELEASE["comments"][str(number)]


def test_a_correction_edits_the_old_comment(upgraded: Upgraded) -> None:
    (old,) = RELEASE["comments"][str(CORRECTED)]
    deliver(upgraded.client, upgraded.helpdesk.reply(CORRECTED, "/role Hardware"))
    assert "Network" in old
    assert "**Role: Hardware** (said by staff; suggested was Network)" in upgraded.comment(CORRECTED)
    assert upgraded.reviews(CORRECTED) == [["Hardware"]]


def test_agreement_edits_the_old_comment(upgraded: Upgraded) -> None:
    deliver(upgraded.client, upgraded.helpdesk.reply(CONFIRMED, "/role ok"))
    assert "**Role: Accounts** (confirmed by staff)" in upgraded.comment(CONFIRMED)
    assert upgraded.reviews(CONFIRMED) == [["Accounts"]]


def test_the_group_in_which_an_old_ticket_closes_is_its_role(upgraded: Upgraded) -> None:
    deliver(upgraded.client, upgraded.helpdesk.close(CLOSED, HARDWARE_QUEUE))
    assert upgraded.reviews(CLOSED) == [["Hardware"]]


def test_the_dead_letter_has_another_life(upgraded: Upgraded) -> None:
    assert upgraded.helpdesk.comments(MUTE) == []
    upgraded.installation.run("queue", "retry", "--all")
    until(lambda: upgraded.helpdesk.comments(MUTE), 60)
    assert "**Role: Network**" in upgraded.comment(MUTE)


def test_only_the_old_secret_opens_the_hook(upgraded: Upgraded) -> None:
    assert upgraded.client.post(HOOK[:-1], json={}).status_code == 401
    assert upgraded.client.post(HOOK, json={}).status_code == 400


def test_the_api_has_its_key_and_its_model(upgraded: Upgraded) -> None:
    asked = {"model_name": "calls", "texts": RELEASE["api"]["texts"]}
    assert upgraded.client.post("/v1/predict", json=asked).status_code == 401
    answer = upgraded.client.post("/v1/predict", json=asked, headers={"X-API-Key": RELEASE["api"]["key"]}).json()
    expected = RELEASE["api"]["predicted"]
    assert answer["model_version"] == expected["model_version"]
    for now, then in zip(answer["predictions"], expected["predictions"], strict=True):
        assert (now["label"], now["score"]) == (then["label"], pytest.approx(then["score"], abs=TOLERANCE))
