"""Whatever a command refuses, it says what is wrong by its place, and what to do next; what it names is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from rich.text import Text
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.testing import CliRunner

from agent.cli import app
from agent.cli.failures import failure
from agent.errors import NotPossibleYet
from agent.store.database import Database

ROOT = Path(__file__).parents[3]
FILES = {
    "agent.toml": "rules = 'rules.toml'\nroles = 'roles.toml'\n",
    "rules.toml": "",
    "roles.toml": '[[role]]\nname = "Network"\n[[role]]\nname = "Access"\n',
    "typo.toml": "[triage]\nshadwo = true\n",
    "half.toml": "a = [\n",
    "cells.csv": "x,y\na,b\n",
    "one.csv": "text,label\na,b\nc,b\n",
    "empty.csv": "",
    "unknown.csv": "id,subject,role\n1,VPN,Nobody\n",
    "no.zip": "x",
    "conversations.jsonl": '{"x": 1}\n',
}
HUNDRED = "there is no event 100: `rolecall queue list`"
IMPORT = "there is no reviewed ticket yet: `rolecall import`"
NO_MODEL = "there is no version 20260101T000000Z-abcdef: `rolecall models list`"
VERSION = "20260101T000000Z-abcdef"

REFUSED: dict[str, str] = {
    "predict x --config typo.toml": "typo.toml:2: triage.shadwo: unknown key 'shadwo' (did you mean 'shadow'?)",
    "predict x --config half.toml": "half.toml:1: not TOML",
    "predict x --config none.toml": "none.toml: there is no such file (chosen by --config)",
    "serve --port 99999": "server.port: should be less than or equal to 65535",
    "train --trainer x": "learning.trainer: should be 'contrastive', 'setfit' or 'frozen'",
    "train": "too few to learn from: at least 20 of 2. `rolecall import`",
    "backtest": IMPORT,
    "clean": IMPORT,
    "rules report": IMPORT,
    "evaluate": f"{IMPORT} takes in tagged ones, or name a file",
    "study": "a study needs 200 reviewed tickets (150 to learn from first, --start, and 50 to answer)",
    "study --windows a": "--windows and --days take whole numbers",
    "study --windows 5": "--windows and --days: a window holds more than 10 tickets",
    "evaluate none.csv": "none.csv: No such file",
    "evaluate writing conversations.jsonl": "conversations.jsonl:1: messages: key 'messages' is missing",
    "import none.csv": "none.csv: No such file",
    "import empty.csv": "empty.csv is empty, or its first row is; export it again, with its column names in",
    "import unknown.csv": "name missing roles or their aliases in roles.toml, or give --skip-bad",
    "import unknown.csv --id key": "unknown.csv: no column key (--id); there is id, subject, role",
    "import unknown.csv --dates x": "--dates x: can be day-first, month-first, none",
    "import unknown.csv --encoding x": "there is no encoding 'x'; common ones are utf-8",
    "import unknown.csv --separator ab": "separator 'ab' is none: give one character, or tab",
    "queue show 100": HUNDRED,
    "queue retry": "give the number of an event that was set aside (`rolecall queue list`), or --all",
    "queue retry 100": "event 100 was not set aside: `rolecall queue list`",
    "queue drop 100": "event 100 was not set aside: `rolecall queue list`",
    f"models activate {VERSION}": NO_MODEL,
    f"models compare {VERSION} {VERSION}": NO_MODEL,
    f"models curve {VERSION}": NO_MODEL,
    "models activate x": "there is no version x: `rolecall models list`",
    "models activate ..": "'..' is not the name of a model version: `rolecall models list`",
    "models curve": "there is no model yet: run `rolecall train` first",
    "models rollback --why x": "there is no earlier model to go back to: see `rolecall models list`",
    "models export out": "rolecall: there is no such model; `rolecall train` makes it",
    "dataset evaluate one.csv --model m": "m: there is no such model; `rolecall dataset train FILE --model m` makes it",
    "dataset train none.csv --model m": "none.csv: there is no such file",
    "dataset train cells.csv --model m": "cells.csv: no column text, label; there is x, y (name them: --text, --label)",
    "dataset train empty.csv --model m": "there is nothing (name them: --text, --label)",
    "dataset train one.csv --model m": "one.csv: texts of 1 labels; training takes two or more ",
    "dataset train one.csv --model m --name x": "--name x: must be LABEL=NAME",
    "dataset train . --model m": "no file train.csv, train.parquet or train-....parquet (another split: --split)",
    "connectors rename old new": "nothing is kept of old; see `rolecall connectors list`",
    "connectors remove old": "nothing is kept of old; see `rolecall connectors list`",
    "connectors show x": "there is no connector and no kind 'x'; kinds are",
    "users reset kim": "there is no account kim: `rolecall users list` shows them, `rolecall users add` makes one",
    "forget": "say what to forget: one of --ticket, --requester and --before",
    "forget --ticket 42": "42 is no key of a ticket: it begins with the helpdesk's name, as django-helpdesk:42",
    "export none/x.csv": "none/x.csv: there is no folder ",
    "comments remove": "connectors: none configured",
    "backup no.zip": "no.zip exists: choose another name",
    "backup none/new.zip": "none: there is no such folder",
    "restore": "name the backup to restore, or say --undo",
    "restore none.zip": "none.zip: there is no such file",
    "restore no.zip": "no.zip is no backup of Rolecall's",
    "restore --undo": "there is nothing to undo; `rolecall restore FILE`",
    "doctor no.zip": "no.zip exists: choose another name",
    "notices test": "[notify] urls is empty: set ROLECALL_NOTIFY__URLS",
}
"""By command: what it says of a place and of what is next, on an installation with two roles and nothing else."""

NO_DATA = {"connectors show", "notices test"}
"""They read no data directory."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refused")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "data").mkdir()
    Database.open_file(folder / "data/rolecall.sqlite3").close()
    return folder


@pytest.mark.parametrize("command", REFUSED)
def test_what_is_refused_names_place_and_next_step(folder: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(folder)
    words = command.split()
    if "--config" not in words and command != "connectors show x":
        words += ["--config", "agent.toml"]
    if not any(command.startswith(name) for name in NO_DATA):
        words += ["--data", "data"]
    done = CliRunner().invoke(app, words)
    assert done.exception is not None
    said = " ".join(f"{done.output} {failure(done.exception).message}".split())
    assert REFUSED[command] in said


@pytest.mark.parametrize("command", ["decisions", "queue list", "import unknown.csv", "train"])
def test_a_data_directory_in_no_folder_is_not_made(folder: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """A name with a slip, or a disk that is not there: an empty installation would answer "no decision yet"."""
    monkeypatch.chdir(folder)
    words = [*command.split(), "--config", "agent.toml", "--data", "gone/data"]
    done = CliRunner().invoke(app, words)
    assert done.exception is not None
    assert f"there is no folder {folder / 'gone'}" in failure(done.exception).message
    assert not (folder / "gone").exists()


def commands(group: TyperGroup, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        yield f"{before}{name}"
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{before}{name} ")


def texts(file: Path) -> Iterator[str]:
    """Yield the texts in a file of code; what is put into one at run time is "…"."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_command_that_is_named_to_people_is_there() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    there = set(commands(group))
    files = [*(ROOT / "agent").rglob("*.py"), *(ROOT / "agent/pages/texts").glob("*.toml")]
    named = {
        (file.name, match[1])
        for file in files
        if "`rolecall " in file.read_text("utf-8")
        for text in (texts(file) if file.suffix == ".py" else [file.read_text("utf-8")])
        for match in re.finditer(r"`rolecall ([a-z]+(?:-[a-z]+)*(?: [a-z]+(?:-[a-z]+)*)?)", text)
    }
    assert len(named) > 80
    missing = [
        (file, words) for file, words in named if words not in there and words.partition(" ")[0] not in leaves(there)
    ]
    assert missing == []


def test_help_shows_all_that_is_written_in_words_that_people_know() -> None:
    """Rich takes words in brackets for its own marks, and Typer names Python's types."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    for name, command in helped(group):
        texts = [command.help, *(getattr(parameter, "help", None) for parameter in command.params)]
        lost = [text for text in texts if text and Text.from_markup(text).plain != text.replace("\\[", "[")]
        assert lost == [], name
        context = command.make_context(name, [], resilient_parsing=True)
        types = [p.display_type_rich(context) or "" for p in command.params if isinstance(p, TyperOption)]
        assert [shown for shown in types if set(shown) & set("[]%")] == [], name


def test_the_version_is_told() -> None:
    told = CliRunner().invoke(app, ["--version"])
    assert (told.exit_code, told.output) == (0, f"rolecall {version('rolecall')}\n")


def helped(group: TyperGroup, before: str = "") -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from helped(command, f"{before}{name} ")
        assert isinstance(command, TyperCommand | TyperGroup)
        yield f"{before}{name}", command


def leaves(there: set[str]) -> set[str]:
    """Return the commands of one word that take arguments, not further commands."""
    return {name for name in there if " " not in name and not any(other.startswith(f"{name} ") for other in there)}


NEXT = re.compile(
    r"`rolecall|(?<!\w)--[a-z]|setting|\.toml|"
    r"\b(?:again|choose|install|make room|name|record|restore|set|stop|unset|wait|write)\b"
)
"""What a message may name as the next step: a command, an option, a setting, a file, or what to do by hand."""


def test_whatever_must_come_first_is_named() -> None:
    """NotPossibleYet is the error whose message says what must come first."""
    bare, found = [], 0
    for file in (ROOT / "agent").rglob("*.py"):
        if file.parent.name == "demo":  # pip's faults, and those of a helpdesk that is started for it
            continue
        if "raise NotPossibleYet" not in file.read_text("utf-8"):
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
                continue
            called, arguments = node.exc.func, node.exc.args
            if not (isinstance(called, ast.Name) and called.id == "NotPossibleYet"):
                continue
            found += 1
            said = ast.unparse(arguments[0])
            if isinstance(arguments[0], ast.JoinedStr | ast.Constant) and not NEXT.search(said):
                bare.append(f"{file.name}:{node.lineno}: {said}")
    assert found > 15
    assert bare == []


@pytest.mark.parametrize(
    "command", ["forget --before", "comments remove --since", "backfill x --since", "init --since"]
)
def test_a_day_that_is_none_is_told_with_how_one_is_written(folder: Path, command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "01.11.2026"], env={"COLUMNS": "200"})
    assert (result.exit_code, "01.11.2026 is no day: write it as YYYY-MM-DD" in result.output) == (2, True)


def test_where_nothing_is_installed_is_told_with_the_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "agent.toml").write_text('data = "kept"\n')
    (tmp_path / "kept").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotPossibleYet, match=re.escape(f"no installation in kept ({tmp_path / 'kept'})")):
        CliRunner().invoke(app, ["decisions", "--config", "agent.toml"], catch_exceptions=False)
