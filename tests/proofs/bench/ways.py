"""How many files somebody has to open to follow one thing from its beginning to its end, through all processes.

    make bench NAME=ways                          five minutes; ARGS="--trainer contrastive" for that trainer

webhook     from the socket (a ticket was created) to the comment's request, with a trained model and its memory
correction  from the socket (`/role NAME` in a reply to staff) to the request that edits the comment
night       from the tick of the nightly schedule to the moved ACTIVE pointer, where another model served before
train       from POST /v1/train to the completed job

A real server (`rolecall serve`) runs beside a stand-in for django-helpdesk. It, `rolecall train` and the training
processes are recorded: a file of agent/, connectors/ or heuristics/ counts if a function of it ran. A comprehension or
a lambda is a function; the body of a module or of a class is none, and what it calls on being imported does not count.

Left out are `__init__`, migrations, and logging and metrics (`LOGGING_AND_METRICS` in ways_records.py). The connector's
own files are counted apart. What the server does when nothing happens is recorded for 65 s, more than any of its loops
waits but the poll and the look at the secrets, which come round in no way, and subtracted: a call of the same function
from the same root, which is the outermost function of ours in its task or thread. So a loop that looks for work does
not count, what it does with the work does, and a file is left out only if nothing but such loops was in it; these are
printed as well. The webhook and the correction are walked twice, and the second time counts.

At the release f16728a: webhook=40 correction=35 night=62 train=36, three times in a row, and 4, 4, 1 and 0 files of the
connector. With `--trainer contrastive`, which is what the settings and the API choose by default, night=64 train=38.

When the house was built: webhook=29 correction=27 night=45 train=28. What came since brought them to 49, 37, 63 and 36;
with what belongs together joined: webhook=40 correction=32 night=60 train=32. On these ways are files for

  webhook     how a mail is read (text/reading) and what gateways leave in it (text/mailed) and garble
              (text/garbled),
              what a look shows that no event told (connectors/sights), how sentences
              are said (notes/phrasing), how far a role may go (store/stages), what helped on like tickets
              (store/writings), the words of the search (store/search), a text that says too little
              (writing/description), tickets filed alike (triage/bursts), heads apart from their fitting (serving/heads)
  correction  reading, sights, phrasing and stages as above; whose word counts, and how much of it (feedback/accounts),
              what a comment shows after an answer (desk/standing)
  night       whether it is due (learning/due), its tickets, candidates and weights (learning/training_data, candidates
              and weighing), the lexical head (fitting/lexical), one training at a time (learning/turn), how long it
              takes (store/run_times, cli/console), what people changed in notes (writing/learnt), patterns in all
              scripts (heuristics/pattern_tree, word_boundaries), kinds of own manifests (config/manifests)
  train       bodies (model_api/web/bodies) and the key (model_api/keys), old versions and their room on the disk
              (serving/pruning, store/compaction), the base encoder's own file (fitting/process/source)
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.proofs.bench.ways_corpus import orders
from tests.proofs.bench.ways_desk import AGENT, WaysDesk
from tests.proofs.bench.ways_installation import PATIENCE_SECONDS, SECRET, TREE, Installation, idle, wait_for
from tests.proofs.bench.ways_records import Call, Records, Way, of_connector, way

IDLE_SECONDS = 65.0
LEAD_SECONDS = 40.0  # for a server to start before the night
BEFORE_TICK_SECONDS = 1.5
REVIEWED, REVIEWED_LATER = 140, 28

TICKET = "coolant leak", "The radiator cap does not seal, and the {} is losing water. Horn and lights without fault."
CORRECTION, CORRECTED = "/role hydraulics", "Hydraulics"


def main(argv: Sequence[str]) -> None:
    """Walk the four ways, print the files of each in order, and the figures."""
    parser = argparse.ArgumentParser(prog="ways")
    parser.add_argument("--trainer", default="frozen", help="of the night and of POST /v1/train")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        ways = walk(Installation(folder, Records(folder / "records", TREE), given.trainer))
    figures = []
    for name, found in ways.items():
        own = [path for path in found.files if not of_connector(path)]
        connector = [path for path in found.files if of_connector(path)]
        print(f"\n{name}={len(own)}", *own, sep="\n  ")
        print(f"connector={len(connector)}", *connector, sep="\n  ")
        print("ran beside it, not counted:", *found.beside, sep="\n  ")
        figures.append(f"{name}={len(own)}")
    print()
    print(*figures)


def walk(installation: Installation) -> dict[str, Way]:
    """Return the files of each way."""
    records, written = installation.records, threading.Event()
    windows: dict[str, tuple[int, int]] = {}

    def on_write() -> None:
        records.close()
        written.set()

    with WaysDesk(on_write) as desk:
        installation.configure(desk, f"{datetime.now() + timedelta(hours=12):%H:%M}")
        installation.import_(0, REVIEWED)
        installation.run("train")
        assert installation.active.exists(), "nothing was promoted"
        with installation.serving() as client:
            quiet = records.open()
            time.sleep(IDLE_SECONDS)
            records.close()
            for _ in ("first", "second"):  # the second is kept
                ticket = desk.file(TICKET[0], TICKET[1].format(f"engine {len(desk.tickets)}"))
                windows["webhook"] = quiet, deliver(client, records, ticket, written)
                reply = desk.reply(ticket["ticket"]["id"], CORRECTION)
                windows["correction"] = quiet, deliver(client, records, reply, written)
                assert CORRECTED in comment_on(ticket), "the correction was not obeyed"
            windows["train"] = quiet, train(client, installation)
        installation.import_(REVIEWED, REVIEWED_LATER)
        windows["night"] = night(installation, desk)
    calls = records.calls()

    def of(number: int) -> list[Call]:
        return [call for call in calls if call.window == number]

    order = ("webhook", "correction", "night", "train")
    return {name: way(of(windows[name][1]), of(windows[name][0])) for name in order}


def deliver(client: httpx.Client, records: Records, body: dict[str, Any], written: threading.Event) -> int:
    """Post a webhook, wait for the comment or its edit, and return the number of the window between the two."""
    written.clear()
    window = records.open()
    assert client.post(f"/hooks/django-helpdesk/{SECRET}", json=body).status_code == 202
    assert written.wait(PATIENCE_SECONDS), "nothing was written on the ticket"
    wait_for(lambda: idle(client), "the end of the work")
    return window


def comment_on(webhook: dict[str, Any]) -> str:
    """Return what Rolecall wrote on the ticket of a webhook."""
    (text,) = (row["comment"] for row in webhook["ticket"]["followup_set"] if row["user"] == AGENT)
    return str(text)


def train(client: httpx.Client, installation: Installation) -> int:
    """Train a classifier over the API, and return the number of the window.

    The job is asked after only when the window is closed: an answer about it is no part of the way.
    """
    examples = [{"text": text, "label": role} for text, role in orders()[:REVIEWED]]
    before = set(pointers(installation))
    window = installation.records.open()
    request = {"model_name": "ways", "examples": examples, "trainer": installation.trainer}
    job = client.post("/v1/train", json=request).raise_for_status().json()
    wait_for(lambda: set(pointers(installation)) - before, "the classifier", installation.folder / "server.log")
    time.sleep(2)  # the job is completed right after its version serves
    installation.records.close()
    (found,) = client.get("/v1/jobs").raise_for_status().json()
    assert found["status"] == "completed", job
    return window


def pointers(installation: Installation) -> list[Path]:
    """Return the pointers of all models there are."""
    return list((installation.folder / "data").rglob("ACTIVE"))


def night(installation: Installation, desk: WaysDesk) -> tuple[int, int]:
    """Wait for the nightly training to move the pointer; return the numbers of the idle window and of the way's."""
    tick = (datetime.now() + timedelta(seconds=LEAD_SECONDS + IDLE_SECONDS + 60)).replace(second=0, microsecond=0)
    installation.configure(desk, f"{tick:%H:%M}")
    before = installation.active.read_bytes()
    with installation.serving():
        quiet = installation.records.open()
        left = (tick - datetime.now()).total_seconds() - BEFORE_TICK_SECONDS
        assert left >= IDLE_SECONDS, f"the server took too long to start: {left:.0f} s are left"
        time.sleep(left)
        window = installation.records.open()
        wait_for(
            lambda: installation.active.read_bytes() != before, "the night", installation.folder / "server.log", 0.005
        )
        installation.records.close()
    return quiet, window
