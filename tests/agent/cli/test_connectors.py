"""`rolecall connectors`: names are listed, changed and given up while no server works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from agent.cli import app
from agent.data_directory import DataDirectory
from agent.errors import BadInput, DataDirectoryBusy, NotPossibleYet
from agent.store.arrivals import Arrival, accept
from agent.store.database import Database
from agent.store.tables import Review, Ticket, utcnow
from connectors.events import Event, Kind

SETTINGS = """
roles = "roles.toml"
[connectors.plant]
kind = "django-helpdesk"
url = "https://plant.example"
token = "t"
author_id = 2
webhook_secrets = ["0123456789abcdef"]
"""
ROLES = '[[role]]\nname = "Network"\ngroups = { plant = "NET" }\n[[role]]\nname = "Accounts"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "agent.toml").write_text(SETTINGS)
    (tmp_path / "roles.toml").write_text(ROLES)
    with_ticket(tmp_path, "plant")
    return tmp_path


def with_ticket(folder: Path, source: str) -> None:
    (folder / "data").mkdir(exist_ok=True)
    database = Database.open_file(folder / "data" / "rolecall.sqlite3")
    ticket = Ticket(key=f"{source}:1", subject="VPN", body="", filed_at=utcnow())
    review = Review(ticket_key=f"{source}:1", roles=["Network"], strength=3, origin="x", at=utcnow())
    database.call(lambda session: session.add_all([ticket, review]))
    database.close()


def run(folder: Path, *words: str, says: str | None = None) -> Result:
    places = ["--config", str(folder / "agent.toml"), "--data", str(folder / "data")]
    return CliRunner().invoke(app, ["connectors", *words, *places], input=says, env={"COLUMNS": "200"})


def test_connectors_are_listed_with_what_is_kept_and_so_are_names_without_one(folder: Path) -> None:
    with_ticket(folder, "gone")
    assert run(folder, "list").output.splitlines() == [
        "gone: not connected; 1 tickets, 1 reviews, 0 open events, 0 set aside",
        "plant: django-helpdesk, hook /hooks/plant/SECRET; 1 tickets, 1 reviews, 0 open events, 0 set aside",
    ]


def test_a_new_name_says_what_is_to_be_changed_by_hand(folder: Path) -> None:
    done = run(folder, "rename", "plant", "plant-2")
    assert done.exit_code == 0, done.exception
    assert done.output.splitlines() == [
        "1 tickets and 0 models renamed. Now change by hand:",
        '- settings: [connectors.plant] becomes [connectors.plant-2], with kind = "django-helpdesk"',
        "- secrets: ROLECALL_CONNECTORS__PLANT__... become ROLECALL_CONNECTORS__PLANT_2__...",
        "- the system's webhooks: /hooks/plant/... becomes /hooks/plant-2/...",
        f"- {folder / 'roles.toml'}: groups of plant become groups of plant-2, of the roles Network",
    ]
    assert "plant-2: not connected; 1 tickets, 1 reviews" in run(folder, "list").output


def test_the_tickets_that_a_model_was_trained_on_are_renamed_with_the_others(folder: Path) -> None:
    told = {"version": "v", "tickets": {"train": ["plant:1", "plantation:1"], "test": ["import:7"]}, "metrics": {}}
    for version, manifest in (("one", told), ("two", told | {"tickets": {}})):
        (folder / "data" / "models" / version).mkdir(parents=True)
        (folder / "data" / "models" / version / "manifest.json").write_text(json.dumps(manifest))
    assert "1 tickets and 1 models renamed" in run(folder, "rename", "plant", "plant-2").output
    after = json.loads((folder / "data" / "models" / "one" / "manifest.json").read_text())
    assert after == told | {"tickets": {"train": ["plant-2:1", "plantation:1"], "test": ["import:7"]}}


@pytest.mark.parametrize("new", ["plant", "Plant", "plant_2", "a:b", ""])
def test_what_cannot_be_a_new_name_is_refused(folder: Path, new: str) -> None:
    assert isinstance(run(folder, "rename", "plant", new).exception, BadInput)


@pytest.mark.parametrize("words", [("rename", "plant", "plant-2"), ("remove", "plant", "--yes")])
def test_nothing_is_changed_while_a_server_runs(folder: Path, words: tuple[str, ...]) -> None:
    before = run(folder, "list").output
    with DataDirectory(folder / "data").serving():
        assert isinstance(run(folder, *words).exception, DataDirectoryBusy)
    assert run(folder, "list").output == before


def test_a_name_that_nothing_is_kept_of_is_refused(folder: Path) -> None:
    assert isinstance(run(folder, "rename", "nobody", "plant-2").exception, BadInput)
    assert isinstance(run(folder, "remove", "nobody", "--yes").exception, BadInput)


def test_open_events_are_told_of_before_anything_is_removed(folder: Path) -> None:
    database = Database.open_file(folder / "data" / "rolecall.sqlite3")
    database.call(accept, [Arrival("plant", Event(Kind.CREATED, "3", "new"), b"", utcnow())])
    database.close()
    assert isinstance(run(folder, "rename", "plant", "plant-2").exception, NotPossibleYet)
    asked = run(folder, "remove", "plant", says="n\n")
    assert (asked.exit_code, "dropped: 1 open events, 0 set aside" in asked.output) == (1, True)
    assert "1 open events" in run(folder, "list").output
    removed = run(folder, "remove", "plant", says="y\n")
    assert removed.exit_code == 0
    assert "plant removed, 1 events dropped" in removed.output
    assert "take [connectors.plant] out of" in removed.output
    assert "1 tickets, 1 reviews, 0 open events" in run(folder, "list").output
