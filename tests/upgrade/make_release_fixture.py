"""Make `release_0_1/`: an installation of release 0.1 in the middle of its work, by that release's own commands.

Ran at commit f16728a ("Let waiting for a comment that may still arrive use up no attempt"), checked out beside this one
with an environment of its own::

    LOGNAME=operator python -m tests.upgrade.make_release_fixture ../release/.venv/bin/rolecall

It writes over `data/`, `helpdesk.json` and `answers.json`; the folder's `config/` and `env` are written by hand. Takes
two minutes: the second model is trained by the server's own nightly schedule.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.upgrade.helpdesk import Helpdesk
from tests.upgrade.installation import HOOK, Installation, deliver, opinion, until

HERE = Path(__file__).parent
FIXTURE = HERE / "release_0_1"
HISTORY = HERE / "history.csv"

FILED = (
    ("VPN keeps asking for my token", "At home only, in the office the network is fine."),
    ("Docking station dead", "No light, no monitor, no mouse."),
    ("Switch in the basement blinks red", "All of the basement has no network."),
    ("Please reset my password", "The account says disabled."),
    ("Wifi in the lobby is slow", "Visitors complain about the wireless."),
    ("Keyboard types the wrong letters", "Since the cleaning last night."),
    ("Mailbox of the front desk", "I need permission to read it, my manager agrees."),
    ("Toner smells burnt", "The printer on floor two."),
)
SILENT = ("Slow", "Everything is slow since Tuesday.")
MUTE = ("Router in the branch restarts", "Every hour, and the network is gone for minutes.")
LATER = ("Battery of my laptop is swollen", "The case does not close any more.")
QUEUED = ("Firewall blocks the bank", "The network team changed something yesterday.")
ASKED = (
    ("VPN drops in the train", "The client connects, then the gateway is unreachable."),
    ("Wireless is down in the workshop", "No access point lights up since the power cut."),
    ("My screen flickers", "With two cables, and on the docking station as well."),
    ("Printer eats paper", "Every page is torn at the left edge; toner is new."),
    ("Forgot my password", "I am locked out after the holidays."),
    ("Badge does not open the door", "Only at the back entrance."),
    ("Windows update hangs", "At thirty percent for an hour."),
    ("Laptop cannot join the wifi and my account is locked", "Both since the update."),
    ("Room is cold", "Heating"),
    ("Slow", "Everything is slow since Tuesday."),
)
"""Tickets that the release was asked about, and every later one is asked about again; the last two are doubtful."""

CALLS = (
    ("the invoice is wrong", "billing"), ("please refund me", "billing"), ("I was charged twice", "billing"),
    ("my card was declined", "billing"), ("the parcel is late", "shipping"), ("where is my order", "shipping"),
    ("the box arrived torn", "shipping"), ("wrong address on the label", "shipping"),
)  # fmt: skip
ASKED_OF_THE_API = ["I paid two times", "the parcel never came"]


def make(rolecall: Path) -> None:
    """Build the installation in a scratch folder, and keep what an upgrade finds of it."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Installation(Path(scratch) / "installation", rolecall)
        shutil.copytree(FIXTURE / "config", place.folder / "config")
        shutil.copyfile(FIXTURE / "env", place.folder / ".env")
        helpdesk = Helpdesk()
        with helpdesk.serving() as address:
            place.connect(address)
            place.run("import", str(HISTORY))
            place.run("train", "--trigger", "first")
            _first_days(place, helpdesk)
            _night(place)
            api = _last_day(place, helpdesk)
            helpdesk.save(FIXTURE / "helpdesk.json")
            _keep(place)
            answers = _answers(place, helpdesk)
    (FIXTURE / "answers.json").write_text(json.dumps(answers | {"api": api}, indent=1) + "\n", "utf-8")


def _first_days(place: Installation, helpdesk: Helpdesk) -> None:
    """Comments, every kind of word that staff may say about them, silence, and a dead letter."""
    with place.serving() as client:
        deliver(client, *(helpdesk.file(*text) for text in (*FILED, SILENT)))
        deliver(
            client, helpdesk.reply(1, "/role Accounts"), helpdesk.reply(2, "/role ok"), helpdesk.reply(4, "/role x")
        )
        deliver(client, helpdesk.close(3, queue=2), helpdesk.close(6, queue=4))
        helpdesk.mute = frozenset({len(helpdesk.tickets) + 1})
        deliver(client, helpdesk.file(*MUTE))


def _night(place: Installation) -> None:
    """Serve until the nightly training of the next full minute has ended."""
    at = (datetime.now() + timedelta(seconds=70)).replace(second=0)
    with place.serving(ROLECALL_LEARNING__NIGHTLY_AT=f"{at:%H:%M:%S}"):
        until(lambda: place.select("SELECT count(*) FROM training WHERE finished_at IS NOT NULL") == [(2,)], 200)


def _last_day(place: Installation, helpdesk: Helpdesk) -> dict[str, Any]:
    """Train a model of the API, comment with the new version, and end while the helpdesk is down and an event waits."""
    with place.serving() as client:
        key = re.search(r"API key.*: ([0-9a-f]{64})", (place.folder / "server.log").read_text("utf-8"))
        assert key
        client.headers["X-API-Key"] = key[1]
        examples = [{"text": text, "label": label} for text, label in CALLS]
        asked = {"model_name": "calls", "examples": examples, "trainer": "frozen"}
        job = client.post("/v1/train", json=asked).raise_for_status().json()
        until(lambda: client.get(f"/v1/jobs/{job['job_id']}").json()["status"] == "completed", 120)
        predicted = client.post("/v1/predict", json={"model_name": "calls", "texts": ASKED_OF_THE_API})
        deliver(client, helpdesk.file(*LATER))
        helpdesk.down = True
        client.post(HOOK, json=helpdesk.file(*QUEUED)).raise_for_status()
        until(lambda: place.select("SELECT 1 FROM inbox WHERE state = 'waiting' AND attempts > 0"), 10)
    helpdesk.down = False
    return {"key": key[1], "texts": ASKED_OF_THE_API, "predicted": predicted.raise_for_status().json()}


def _keep(place: Installation) -> None:
    """Copy the data directory, the database as text, without the base encoder of 90 MB that every package brings."""
    kept, data = FIXTURE / "data", place.folder / "data"
    shutil.rmtree(kept, ignore_errors=True)
    passing = shutil.ignore_patterns("*.sqlite3*", "encoders", "training", "api-training", "*.lock")
    shutil.copytree(data, kept, ignore=passing)
    with closing(sqlite3.connect(place.database)) as connection:
        (kept / "rolecall.sql").write_text("\n".join(connection.iterdump()) + "\n", "utf-8")


def _answers(place: Installation, helpdesk: Helpdesk) -> dict[str, Any]:
    """Return what the release holds, and what it answers to TEXTS. The asking leaves traces, so it comes last."""
    tables = [name for (name,) in place.select("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    comments = {number: [row["comment"] for row in helpdesk.comments(number)] for number in helpdesk.tickets}
    counts = {table: place.select(f"SELECT count(*) FROM {table}")[0][0] for table in tables}
    with place.serving() as client:
        bodies = [helpdesk.file(*text) for text in ASKED]
        deliver(client, *bodies)
    opinions = [opinion(place, body["ticket"]["id"]) for body in bodies]
    asked = [{"subject": s, "body": b, "answer": answer} for (s, b), answer in zip(ASKED, opinions, strict=True)]
    return {"rows": counts, "comments": comments, "asked": asked}


if __name__ == "__main__":
    make(Path(sys.argv[1]).absolute())
