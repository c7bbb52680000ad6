"""What the documents say exists, and what exists is in the documents."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from sqlmodel import SQLModel
from typer.main import get_command

from agent.cli import EXIT_CODES, app, failures, login
from agent.config.loading import PLAIN_NAMES
from agent.config.secrets import infisical
from agent.config.settings import Section, Settings
from agent.pages.site import SET_UP, TABS
from agent.store import tables as tables
from agent.work import tracing
from connectors.registry import CONNECTORS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
RUNBOOK = (ROOT / "deploy/README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PACKAGES = ("agent", "connectors", "heuristics")
LOG_EVENT = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")
NOT_PLAIN = re.compile(r"(Let|Tell|Do so|Say|Name the|Call up)\b")
FIRST_FILES = re.findall(r"^\d\. \[(agent/\S+\.py)\]", README, re.MULTILINE)


def test_every_command_is_in_the_readme() -> None:
    commands = get_command(app).commands
    assert [name for name in commands if f"`rolecall {name}`" not in README] == []
    assert [name for name in re.findall(r"^\| `rolecall (\S+)`", README, re.MULTILINE) if name not in commands] == []


def test_every_page_of_the_menu_is_in_the_readme() -> None:
    titles = tomllib.loads((ROOT / "agent/pages/texts/en.toml").read_text("utf-8"))["nav"]
    listed = re.findall(r"^\| \*(\w+)\* \|", README, re.MULTILINE)
    assert sorted(listed) == sorted(titles[name] for name in (*(tab for tab, _ in TABS), *SET_UP))


def test_every_file_of_the_pages_is_in_their_readme() -> None:
    told = (ROOT / "agent/pages/README.md").read_text("utf-8")
    files = {path.name for path in (ROOT / "agent/pages").glob("*.py")} - {"__init__.py"}
    assert sorted(name for name in files if f"`{name}`" not in told) == []


def test_every_command_stands_in_a_group_of_the_help() -> None:
    panels = {name: command.rich_help_panel for name, command in get_command(app).commands.items()}
    assert set(panels.values()) == {"Set up", "Every day", "Study"}, panels


def test_every_setting_is_in_the_shipped_file() -> None:
    shipped = (ROOT / "config/agent.toml").read_text("utf-8")
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            table = shipped.partition(f"\n[{name}]\n")[2].partition("\n[")[0]
            for inner in field.annotation.model_fields:
                assert re.search(rf"^# {inner} = ", table, re.MULTILINE), f"[{name}] {inner}"
        else:
            assert name in shipped, name


def test_every_setting_of_a_connector_is_in_the_shipped_files() -> None:
    shipped = (ROOT / "config/agent.toml").read_text("utf-8").partition("# A django-helpdesk")[2]
    secrets = (ROOT / "config/env.example").read_text("utf-8")
    for kind, registered in CONNECTORS.items():
        variable = f"ROLECALL_CONNECTORS__{kind.upper().replace('-', '_')}__"
        for field in fields(registered.settings):
            told = re.search(rf"^# {field.name} = ", shipped, re.MULTILINE) if field.repr else None
            assert told or f"{variable}{field.name.upper()}" in secrets, f"{kind}: {field.name}"


def test_the_shipped_file_shows_the_real_defaults() -> None:
    text = (ROOT / "config/agent.toml").read_text("utf-8").partition("# A django-helpdesk")[0]
    shown = tomllib.loads(re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE))
    assert Settings.model_validate(shown) == Settings()


def test_the_runbook_says_how_long_every_table_is_kept() -> None:
    section = (ROOT / "deploy/README.md").read_text("utf-8").partition("## What is kept, and for how long")[2]
    listed = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)))
    assert set(SQLModel.metadata.tables) <= set(listed)


def test_every_exit_code_is_where_people_look_for_it() -> None:
    codes = {0, 1} | {code for name, code in vars(failures).items() if name.isupper() and isinstance(code, int)}
    sentence = README.partition("an exit code: ")[2].partition("\n\n")[0]
    assert numbers(sentence) == numbers(EXIT_CODES) == codes
    for text in (failures.__doc__ or "", RUNBOOK.partition("| exit code | meaning |")[2].partition("\n\n")[0]):
        assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == codes


def test_commands_end_with_no_other_exit_code() -> None:
    sources = [file.read_text("utf-8") for file in (ROOT / "agent/cli").glob("*.py")]
    assert {code for text in sources for code in re.findall(r"typer\.Exit\((.*?)\)", text)} <= {"1", "0", ""}


def numbers(text: str) -> set[int]:
    """Return the numbers that begin a sentence, or a part of one."""
    return {int(number) for number in re.findall(r"(?:^|: |[,;]\s)(\d+)\s", text)}


def test_every_alert_is_in_the_runbook() -> None:
    (group,) = yaml.safe_load((ROOT / "deploy/prometheus-rules.yml").read_text("utf-8"))["groups"]
    alerts = {(rule["alert"], rule["labels"]["severity"]) for rule in group["rules"]}
    assert alerts == set(re.findall(r"^\| `(Rolecall\w+)` \| (\w+) \|", RUNBOOK, re.MULTILINE))


def test_every_variable_of_the_environment_is_documented() -> None:
    told = RUNBOOK + README + (ROOT / "config/env.example").read_text("utf-8")
    assert len(variables()) > 10
    assert sorted(name for name in variables() if not re.search(rf"\b{name}\b", told)) == []


def variables() -> set[str]:
    """Return the names that our code asks the environment for, without those of settings, which are made of these."""
    found = {*PLAIN_NAMES, *infisical.NAMES, *login.TOKEN_NAMES, *tracing.ENDPOINTS}
    for file in (ROOT / "agent").rglob("*.py"):
        if "demo" not in file.parts:
            found.update(re.findall(r"""environ(?:\.get)?[(\[]\s*["']([A-Z][A-Z_]+)["']""", file.read_text("utf-8")))
    return {name for name in found if not name.startswith("ROLECALL_")}


def test_what_the_runbook_says_of_the_log_is_an_event_of_ours() -> None:
    table = RUNBOOK.partition("| the log or the answer says |")[2].partition("\n\n")[0]
    events = {name for cell in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for name in LOG_EVENT.findall(cell)}
    ours = "".join(file.read_text("utf-8") for file in (ROOT / "agent").rglob("*.py"))
    assert len(events) > 10
    assert sorted(event for event in events if f'"{event}"' not in ours) == []


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_files_to_read_first_are_five_and_short() -> None:
    assert len(FIRST_FILES) == 5
    for name in FIRST_FILES:
        assert len((ROOT / name).read_text("utf-8").splitlines()) < 200, name


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z-]+)", README))))
def test_make_targets_of_the_readme_exist(target: str) -> None:
    assert subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True).returncode == 0


def test_help_answers_without_loading_a_model_library() -> None:
    code = (
        "import sys; from agent.cli import app; from typer.main import get_command; get_command(app);"
        "print([m for m in ('torch', 'transformers', 'setfit', 'sentence_transformers', 'sklearn', 'onnxruntime',"
        " 'agent.domain', 'structlog') if m in sys.modules])"  # the last two would take a third of its time
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_glossary_is_short_and_every_name_in_it_exists() -> None:
    rows = table("Glossary")
    assert 0 < len(rows) <= 25
    assert [fault for _, _, where in rows if (fault := fault_in(where))] == []


@pytest.mark.parametrize(
    "where", ["`Gone` in `agent/domain.py`", "`Example` in `agent/gone.py`", "`agent/gone.py`", ""]
)
def test_control_a_glossary_that_names_what_is_gone_is_found_out(where: str) -> None:
    assert fault_in(where)


def test_every_room_has_its_question() -> None:
    folders = {f"agent/{path.parent.name}" for path in (ROOT / "agent").glob("*/__init__.py")}
    assert {room.strip("`") for room, _ in table("The rooms")} == folders | {"connectors", "heuristics"}


def test_docstrings_are_in_the_plain_imperative() -> None:
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    assert len(files) > 100
    assert [f"{file.relative_to(ROOT)}: {text}" for file in files for text in not_plain(file.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "text", ["Let it go on.", "Tell whether.", "Do so again.", "Say it.", "Name the one.", "Call up."]
)
def test_control_a_docstring_of_another_form_is_found_out(text: str) -> None:
    assert not_plain(f'def f():\n    """{text}"""') == not_plain(f'X = 1\n"""{text}"""') == [text]


def not_plain(source: str) -> list[str]:
    """Return the first lines of docstrings, and of strings that describe a constant, that begin in another form."""
    described = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Expr)]
    texts = [node.value for node in described if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [text.splitlines()[0] for text in texts if NOT_PLAIN.match(text)]


def table(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading of CONTRIBUTING, without its two head lines."""
    section = CONTRIBUTING.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def fault_in(where: str) -> str | None:
    """Return what is wrong with "`NAME` in `FILE`" or "`FILE`", None where both exist."""
    found = re.fullmatch(r"(?:`(\w+)` in )?`([\w/]+\.py)`", where)
    if found is None:
        return f"not of the form `NAME` in `FILE`: {where}"
    name, file = found[1], ROOT / found[2]
    if not file.is_file():
        return f"no file {found[2]}"
    definitions = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    defined = {node.name for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, definitions)}
    return None if name is None or name in defined else f"no {name} in {found[2]}"
