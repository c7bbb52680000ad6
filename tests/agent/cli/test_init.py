"""`rolecall init` from options alone, against a Redmine in memory: what it writes can be used, repeated and undone."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
import typer

from agent.cli import main
from agent.cli.asking import Asker
from agent.config.loading import load
from agent.config.roles_file import load_roles
from agent.config.rules_file import load_rules
from tests.connectors.systems.fake import Ticket
from tests.connectors.systems.trackers import Redmine

CONFIG = Path(__file__).parents[3] / "config"
SECRET = "ROLECALL_CONNECTORS__REDMINE__API_KEY"


class Projects(Redmine):
    """Each ticket is in the project that its subject names last."""

    def shown(self, ticket: Ticket) -> dict[str, object]:
        return {**super().shown(ticket), "project": {"name": ticket.subject.rpartition(" ")[2]}}


@pytest.fixture
def url() -> Iterator[str]:
    fake = Projects()
    fake.clock = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
    for number in range(18):
        said = ("vpn drops Network", "no light Electrician")[number % 2]
        fake.close(fake.file(f"{number} {said}", f"{said.rpartition(' ')[0]} since Monday"))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = fake(httpx.Request("GET", f"http://127.0.0.1{self.path}"))
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main([*words])
    return int(ended.value.code or 0)


def test_options_alone_make_an_installation_that_can_be_repeated_and_undone(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(CONFIG, tmp_path / "config")
    before = {file.name: file.read_bytes() for file in (tmp_path / "config").glob("*.toml")}
    monkeypatch.chdir(tmp_path)
    words = (
        "init",
        "--kind",
        "redmine",
        "--url",
        url,
        "--role",
        "Network=Net team",
        "--yes",
        "--no-learn",
        "--no-start",
    )
    assert run(*words) == 2
    assert SECRET in capfd.readouterr().err, "it says how to give the key"

    monkeypatch.setenv(SECRET, "the-key")
    assert run(*words) == 0, capfd.readouterr()
    out = capfd.readouterr().out
    assert "18 closed tickets in 2 groups" in out
    assert "0 questions" in out
    assert "ok   database: " in out
    assert "none yet; " not in out, "the database is there when the check looks"
    settings = load(tmp_path / "config/agent.toml")
    assert (settings.ladder.start, settings.connectors["redmine"].address) == ("shadow", url)
    catalogue = load_roles(settings.roles)
    assert catalogue.names == ("Electrician", "Net team")
    assert {hit.role for hit in load_rules(settings.rules, catalogue).match("vpn drops", "", datetime.now(UTC).date())}
    assert (tmp_path / ".env").read_text() == f"{SECRET}=the-key\n"

    assert run(*words) == 0
    assert "is so already" in capfd.readouterr().out
    assert not list((tmp_path / "config").glob("*.new"))
    (tmp_path / "config/roles.toml").write_text('[[role]]\nname = "Ours"\ngroups = { redmine = "Network" }\n')
    assert run(*words[:5], *words[7:]) == 0
    assert (tmp_path / "config/roles.toml.new").exists()
    assert "is kept" in capfd.readouterr().out
    kept = load_roles(settings.roles)
    assert {hit.role for hit in load_rules(settings.rules, kept).match("vpn drops", "", datetime.now(UTC).date())} == {
        "Ours"
    }

    (tmp_path / "config/roles.toml").write_bytes(before["roles.toml"])
    assert run("init", "--undo") == 0
    assert {file.name: file.read_bytes() for file in (tmp_path / "config").glob("*.toml*")} == before
    assert (tmp_path / ".env").read_text() == ""


def test_a_system_that_cannot_be_reached_is_asked_for_again(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(CONFIG, tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(SECRET, "the-key")
    typed = iter(["http://127.0.0.1:1", url, "5, 7"])
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: next(typed))
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: True)
    monkeypatch.setattr(Asker, "alone", property(lambda self: self.silent))
    words = ("init", "--kind", "redmine", "--language", "de", "--no-learn", "--no-start")
    assert run(*words) == 0, capfd.readouterr()
    out = capfd.readouterr().out
    assert "nothing listens there" in out
    assert "18 closed tickets" in out
    settings = load(tmp_path / "config/agent.toml")
    assert settings.language == "de"
    assert 'staff = ["5", "7"]' in (tmp_path / "config/agent.toml").read_text(), "the history shows nobody"
    assert run(*words, "--url", "http://127.0.0.1:1") == 2, "what an option says is not asked for again"


def test_a_system_that_cannot_list_what_was_closed_is_connected_with_the_roles_that_people_name(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(CONFIG, tmp_path / "config")
    shipped = (Path(str(files("connectors.presets"))) / "redmine.toml").read_text()
    (tmp_path / "config/connectors").mkdir(exist_ok=True)
    timeless = shipped.replace('\nchanged_at = "updated_on"', "")
    assert timeless != shipped
    (tmp_path / "config/connectors/mine.toml").write_text(timeless)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROLECALL_CONNECTORS__MINE__API_KEY", "the-key")
    words = ("init", "--kind", "mine", "--url", url, "--yes", "--no-start")
    assert run(*words) == 2
    assert "give --role GROUP=ROLE" in capfd.readouterr().err
    assert run(*words, "--role", "Network=Net team") == 0, capfd.readouterr()
    out = capfd.readouterr().out
    assert "mine cannot list what was closed" in out
    assert "Nothing is learnt yet" in out
    settings = load(tmp_path / "config/agent.toml")
    assert load_roles(settings.roles).names == ("Net team",)
    assert run(*words[:4], "http://127.0.0.1:1", *words[5:]) == 2
    told = "".join(capfd.readouterr())
    assert "nothing listens there" in told
    assert "--url" not in told, "it was given"
