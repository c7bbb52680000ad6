"""A base model of the hub is one commit of it, whatever the hub has under its name later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.fitting.process.source import REVISIONS, UnusableBaseModel, locate
from tests.stubs.server import Asked, Reply, serving

OLD, NEW = "1" * 40, "2" * 40


class Hub:
    """A repository whose `main` moves; its only file says which commit it is of."""

    main = OLD

    def answer(self, asked: Asked) -> Reply:
        parts = asked.path.strip("/").split("/")
        if parts[0] != "api":
            commit = self.commit(parts[3])
            return Reply(200, json.dumps(commit).encode(), {"ETag": f'"{commit}"', "X-Repo-Commit": commit})
        commit = self.commit(parts[5] if len(parts) > 5 else "main")
        if parts[4:5] == ["tree"]:
            return Reply(200, [{"type": "file", "path": "config.json", "oid": commit, "size": 42}])
        return Reply(200, {"id": "ada/base", "sha": commit, "siblings": [{"rfilename": "config.json"}]})

    def commit(self, revision: str) -> str:
        return self.main if revision == "main" else revision


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    constants = pytest.importorskip("huggingface_hub.constants")
    from huggingface_hub import _snapshot_download, file_download

    stub = Hub()
    with serving(stub.answer) as url:
        monkeypatch.setattr(constants, "ENDPOINT", url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
        for module in (constants, _snapshot_download, file_download):
            if hasattr(module, "HF_HUB_CACHE"):
                monkeypatch.setattr(module, "HF_HUB_CACHE", str(tmp_path / "cache"))
        yield stub


def read(folder: Path) -> str:
    commit: str = json.loads((folder / "config.json").read_text())
    return commit


def test_the_commit_that_was_read_first_is_kept_to(stub: Hub, tmp_path: Path) -> None:
    assert read(locate("ada/base", tmp_path)) == OLD
    stub.main = NEW
    assert read(locate("ada/base", tmp_path)) == OLD
    assert json.loads((tmp_path / REVISIONS).read_text()) == {"ada/base": OLD}


def test_an_installation_that_reads_it_later_gets_what_is_there_then(stub: Hub, tmp_path: Path) -> None:
    """The control: without the record it would move."""
    locate("ada/base", tmp_path)
    (tmp_path / REVISIONS).unlink()
    stub.main = NEW
    assert read(locate("ada/base", tmp_path)) == NEW


@pytest.mark.parametrize("damage", ["", "[]", '"x"', "{", "[" * 100_000])
def test_a_damaged_record_is_named_and_not_ignored(tmp_path: Path, damage: str) -> None:
    (tmp_path / REVISIONS).write_text(damage)
    with pytest.raises(UnusableBaseModel, match=REVISIONS):
        locate("ada/base", tmp_path)


def test_a_commit_that_is_named_is_read(stub: Hub, tmp_path: Path) -> None:
    assert read(locate(f"ada/base@{NEW}", tmp_path)) == NEW
    assert not (tmp_path / REVISIONS).exists()
