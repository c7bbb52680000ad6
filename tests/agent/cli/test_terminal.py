"""What a ticket says is shown on the terminal, and does nothing to it, whatever command shows it."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import rich.console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table
from typer.testing import CliRunner

from agent.cli import app
from agent.cli.console import Console
from agent.cli.failures import failure
from agent.domain import Outcome, Reason
from agent.errors import BadInput
from agent.fitting import base_encoder
from agent.fitting.job import PACKAGED
from agent.store import inbox
from agent.store.arrivals import Arrival, accept
from agent.store.database import Database
from agent.store.tables import Decision, utcnow
from connectors.events import Event, Kind, Ticket
from tests.agent.serving.conftest import counting_encoder

ROOT = Path(__file__).parents[3]
TICKETS = ROOT / "tests" / "tickets"
EVIL = [
    "\x1b]0;owned\x07title",
    "\x1b]52;c;cm0gLXJm\x07clipboard",
    "\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b[2J\x1b[Hcleared",
    "\x1b[31mred\x1b[0m",
    "\x9b31mC1\x9d0;title\x9c",
    "\x1bP+q544e\x1b\\DCS",
    "\x08\x08\x08back\x7f",
    "line\rrolecall: all is well",
    "\u202egnp.exe",
    "\u2066isolated\u2069 \u200fright",
    "two\u2028lines\u2029three\x85four\x0bfive",
    "half \ud83d of a pair",
    "[bold]markup[/] [link=https://evil.example]x[/link]",
]
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def in_a_table(console: rich.console.Console, text: str) -> None:
    table = Table("text", title=escape(text))
    table.add_row(escape(text))
    console.print(table)


def on_a_line(console: rich.console.Console, text: str) -> None:
    console.print(escape(text), highlight=False, soft_wrap=True)


WAYS: list[Callable[[rich.console.Console, str], None]] = [in_a_table, on_a_line]


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("way", WAYS)
def test_nothing_that_is_printed_does_anything(text: str, way: Callable[[rich.console.Console, str], None]) -> None:
    shown = io.StringIO()
    way(Console(file=shown, width=200), text)
    assert FORBIDDEN.findall(shown.getvalue()) == []
    assert re.search("[A-Za-z]{3}", shown.getvalue())


def test_riches_own_console_lets_it_through() -> None:
    """The control."""
    shown = io.StringIO()
    on_a_line(rich.console.Console(file=shown), EVIL[0])
    assert FORBIDDEN.findall(shown.getvalue())


def test_colours_and_progress_are_riches_own() -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, color_system="standard", width=80)
    console.print("[red]red[/] " + escape(EVIL[0]))
    with Progress(console=console) as bar:
        bar.add_task("working", total=1)
    assert "\x1b[31mred\x1b[0m" in shown.getvalue()
    assert "\x1b]" not in shown.getvalue()


def test_text_of_any_language_is_shown_as_it_is() -> None:
    shown = io.StringIO()
    text = "Größe, 漏油, تسرب, दर\u200dवाज़ा, 👩\u200d🔧 é"
    on_a_line(Console(file=shown, width=200), text)
    assert shown.getvalue() == text + "\n"
    assert unicodedata.category(text[17]) == "Lo"


def test_every_command_prints_by_this_console() -> None:
    files = [*(ROOT / "agent/cli").glob("*.py"), *(ROOT / "agent/demo").glob("*.py")]
    others = [file.name for file in files if "from rich.console import Console\n" in file.read_text("utf-8")]
    assert others == []
    assert len(files) > 20


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("evil")
    (folder / "agent.toml").write_text("\n".join(f"{name} = '{TICKETS / name}.toml'" for name in ("rules", "roles")))
    (folder / "tame.csv").write_text("id,subject,body,role\n1,VPN is down,Since noon,Network\n")
    encoders = folder / "data" / "encoders"
    base_encoder.record(encoders, PACKAGED, counting_encoder(encoders))  # the real one takes seconds to export
    places = ["--config", str(folder / "agent.toml"), "--data", str(folder / "data")]
    done = CliRunner().invoke(app, ["import", str(folder / "tame.csv"), *places])
    assert done.exit_code == 0, done.output  # so that there is something to report, whatever the evil texts do
    return places


def set_aside(places: list[str], text: str) -> int:
    """Set an event aside, with such texts as ids, subject and error, and leave another waiting; return its number."""
    text = text.encode("utf-8", "replace").decode()  # which the database demands
    database = Database.open_file(Path(places[-1]) / "rolecall.sqlite3")
    ticket = Ticket(text, text, text)
    events = [Event(kind, text, text, ticket=ticket) for kind in (Kind.CREATED, Kind.CLOSED)]
    database.call(accept, [Arrival("desk", event, b"", utcnow()) for event in events])
    (job,) = database.call(inbox.claim, 1, utcnow())
    database.call(inbox.bury, job, text, utcnow())
    silent = {"outcome": Outcome.NONE, "roles": [], "reason": Reason.UNSURE, "detail": {"probabilities": {text: 0.3}}}
    database.call(lambda s: s.add(Decision(ticket_key=f"desk:{text}", at=utcnow(), rules_version=text, **silent)))
    database.close()
    return job.seq


@pytest.mark.parametrize("text", ["  ".join(EVIL[:6]), "  ".join(EVIL[6:9]), "  ".join((*EVIL[9:12], EVIL[-1]))])
def test_no_command_lets_a_ticket_reach_the_terminal(places: list[str], tmp_path: Path, text: str) -> None:
    quoted = '"' + text.replace('"', '""') + '"'
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(f"id,subject,body,role\n{quoted},{quoted},VPN {quoted[1:-1]!r},Network\n", "utf-8", newline="")
    bad.write_text(f"id,{quoted},role\n1,x,{quoted}\n", "utf-8", newline="")
    runs = [
        ["import", str(good), "--dry-run"],
        ["import", str(good)],
        ["import", str(bad), "--id", "id", "--subject", text],
        ["import", str(bad), "--role", text],
        ["evaluate", str(good)],
        ["backtest", "--all"],
        ["predict", f"VPN {text}", "--body", text],
        ["rules", "test", f"VPN {text}", "--body", text],
        ["rules", "report"],
        ["clean", "--share", "1"],
        ["queue", "list"],
        ["queue", "show", str(set_aside(places, text))],
        ["queue", "pause", "--reason", text],
        ["queue", "status"],
        ["queue", "list", "--state", "waiting"],
        ["decisions"],
        ["decisions", "--ticket", text],
        ["forget", "--ticket", text, "--yes"],
    ]
    for words in runs:
        done = CliRunner().invoke(app, [*words, *places], env={"COLUMNS": "200"})
        assert FORBIDDEN.findall(done.output) == [], words
        assert done.exit_code == 0 or isinstance(done.exception, BadInput), words
        if isinstance(done.exception, BadInput):
            shown = io.StringIO()
            Console(file=shown).print(escape(failure(done.exception).message))
            assert FORBIDDEN.findall(shown.getvalue()) == [], words
