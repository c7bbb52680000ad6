"""Where the data lie is told at a glance only where all sources together say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config.loading import load
from agent.config.whereabouts import data_folder

DATABASE = "postgresql+psycopg://u:p@db.example/rolecall"


@pytest.mark.parametrize("data", [None, Path("given")])
@pytest.mark.parametrize(
    ("toml", "environ", "dotenv", "mounted", "plain"),
    [
        ("", {}, None, {}, True),
        ('data = "state"\n[secrets]\n', {}, "", {}, True),
        ('data = "state"', {"ROLECALL_DATA": "/var/lib/rolecall"}, "ROLECALL_LANGUAGE=de", {"TOKEN": "t"}, True),
        ("", {"ROLECALL_DATA": "", "ROLECALL_LOG_FORMAT": "json"}, None, {}, True),
        (f'database_url = "{DATABASE}"', {}, None, {}, False),
        ("", {"ROLECALL_DATABASE_URL": DATABASE}, None, {}, False),
        ("", {"ROLECALL_DATABASE_URL_FILE": "url.txt"}, None, {}, False),
        ("", {}, f"export ROLECALL_DATABASE_URL='{DATABASE}'", {}, False),
        ("", {}, "ROLECALL_DATA=elsewhere", {}, False),
        ("", {}, None, {"rolecall_database_url": DATABASE}, False),
        ('data = "secret:PLACE"', {"PLACE": "hidden"}, None, {}, False),
        ('[secrets]\nfiles = "more"', {}, None, {}, False),
    ],
)
def test_a_glance_tells_what_all_sources_tell(
    toml: str,
    environ: dict[str, str],
    dotenv: str | None,
    mounted: dict[str, str],
    plain: bool,
    data: Path | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "url.txt").write_text(DATABASE)
    (tmp_path / "mounted").mkdir()
    for name, value in mounted.items():
        (tmp_path / "mounted" / name).write_text(value)
    if dotenv is not None:
        (tmp_path / ".env").write_text(dotenv)
    (tmp_path / "agent.toml").write_text(toml)
    environ = environ | {"ROLECALL_SECRETS__FILES": str(tmp_path / "mounted")}

    found = data_folder(Path("agent.toml"), data, environ, Path(".env"))

    settings = load(Path("agent.toml"), environ, Path(".env"), {"data": str(data)} if data else {})
    assert found is None or (settings.data, settings.database_url) == (found, None)
    assert found is not None if plain else found is None or data is not None


def test_a_mistake_in_another_setting_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('data = "state"\n[work]\nconcurrency = "many"\n')
    assert data_folder(file, None, {}, tmp_path / ".env", tmp_path / "none") == Path("state")


@pytest.mark.parametrize("content", ["data = ", "\udcff"])
def test_a_file_that_cannot_be_read_is_left_to_who_explains_it(content: str, tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert data_folder(file, None, {}, tmp_path / ".env", tmp_path / "none") is None
    assert data_folder(tmp_path / "gone.toml", None, {}, tmp_path / ".env", tmp_path / "none") is None
