"""Secrets on this machine: variables, files that variables name, and mounted files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.config.secrets import SourceFailed
from agent.config.secrets.source import MAX_FILE_BYTES, Files, Variables, dotenv

NAME = "ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN"


def values(source: Files | Variables, *also: str) -> dict[str, str]:
    return {name: found.value for name, found in source.read(also).items()}


def test_variables_yield_settings_and_what_is_asked_for_and_nothing_else() -> None:
    source = Variables("environment", {NAME: "t", "HELPDESK": "h", "PATH": "/bin"})
    assert values(source, "HELPDESK") == {NAME: "t", "HELPDESK": "h"}


def test_a_variable_may_name_the_file_that_holds_its_value(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-file\n")
    found = Variables("environment", {f"{NAME}_FILE": str(file), "API_FILE": str(file)}).read(["API"])
    assert {name: f.value for name, f in found.items()} == {NAME: "from-file", "API": "from-file"}
    assert found[NAME].origin == f"environment, {NAME}_FILE → {file}"


def test_a_variable_set_directly_wins_over_one_set_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file")
    assert values(Variables("environment", {NAME: "direct", f"{NAME}_FILE": str(tmp_path / "token")})) == {
        NAME: "direct"
    }


def test_a_setting_that_is_a_path_by_itself_is_no_reference() -> None:
    ca = "ROLECALL_CONNECTORS__DJANGO_HELPDESK__CA_FILE"
    assert values(Variables("environment", {ca: "/etc/ca.pem"}, paths={"CA_FILE"})) == {ca: "/etc/ca.pem"}


def test_a_missing_file_is_named_with_its_variable(tmp_path: Path) -> None:
    source = Variables("environment", {f"{NAME}_FILE": str(tmp_path / "none")})
    with pytest.raises(SourceFailed, match=rf"environment: {NAME}_FILE: .*none: No such file"):
        source.read(())


def test_dotenv_may_be_absent_and_names_without_values_say_nothing(tmp_path: Path) -> None:
    assert dotenv(tmp_path / ".env").values == {}
    assert dotenv(None).values == {}
    (tmp_path / ".env").write_text("A\nB=\nC='c d'\n")
    assert dotenv(tmp_path / ".env").values == {"C": "c d"}


def test_a_line_of_ours_that_says_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# ours\nROLECALL_LANGUAGE: fr\n")
    with pytest.raises(SourceFailed, match=r"\.env: line 2: write it as NAME=value"):
        dotenv(tmp_path / ".env")
    (tmp_path / ".env").write_text("A=b\n\n  \nROLECALL_LANGUAGE: fr\n")
    with pytest.raises(SourceFailed, match=r"\.env: line 4: write it as NAME=value"):
        dotenv(tmp_path / ".env")
    (tmp_path / ".env").write_text("SOMEBODY'S: x\nROLECALL_LANGUAGE=fr\n")
    assert dotenv(tmp_path / ".env").values == {"ROLECALL_LANGUAGE": "fr"}, "another program's lines are not ours"


def test_files_are_named_like_their_secret_in_any_case(tmp_path: Path) -> None:
    (tmp_path / NAME.lower()).write_bytes(b"\xef\xbb\xbft\r\n")  # as Notepad saves it
    (tmp_path / "helpdesk").write_text("h\n\n")
    (tmp_path / "other").write_text("o")
    assert values(Files(tmp_path), "helpdesk") == {NAME: "t", "helpdesk": "h\n"}


def test_a_kubernetes_mount_shows_each_secret_once_and_swaps_all_at_once(tmp_path: Path) -> None:
    for version in ("old", "new"):
        (tmp_path / f"..{version}").mkdir()
        (tmp_path / f"..{version}" / NAME).write_text(version)
    (tmp_path / "..data").symlink_to("..old")
    (tmp_path / NAME).symlink_to(f"..data/{NAME}")
    assert values(Files(tmp_path)) == {NAME: "old"}
    (tmp_path / "..swap").symlink_to("..new")
    (tmp_path / "..swap").replace(tmp_path / "..data")
    assert values(Files(tmp_path)) == {NAME: "new"}


def test_no_directory_means_no_secrets(tmp_path: Path) -> None:
    assert values(Files(tmp_path / "none")) == {}


@pytest.mark.parametrize(
    ("content", "reason"), [(b"\xff\xfe", "not UTF-8 text"), (b"x" * (MAX_FILE_BYTES + 1), "larger than")]
)
def test_a_file_that_is_no_secret_is_refused_by_name_without_its_content(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(SourceFailed, match=rf"^files: .*{NAME}: {reason}[^xÿþ]*$"):
        Files(tmp_path).read(())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("t")
    (tmp_path / NAME).chmod(0)
    with pytest.raises(SourceFailed, match="Permission denied"):
        Files(tmp_path).read(())
