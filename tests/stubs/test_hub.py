"""The stub hub takes what the real hub library sends."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from tests.stubs.hub import hub


def test_the_hub_library_can_create_a_repository_and_upload_a_folder(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\nA model.\n")
    (tmp_path / "model.safetensors").write_bytes(b"\x00weights")
    with hub() as stub:
        stub.accounts = {"hf_write": "ada"}
        api = HfApi(endpoint=stub.url, token="hf_write")
        api.create_repo("ada/roles", exist_ok=True)
        api.upload_folder(repo_id="ada/roles", folder_path=tmp_path)
        assert stub.repositories["ada/roles"]["model.safetensors"] == b"\x00weights"


def test_another_account_may_not_write_there() -> None:
    with hub() as stub:
        stub.accounts = {"hf_write": "ada"}
        with pytest.raises(HfHubHTTPError, match="403"):
            HfApi(endpoint=stub.url, token="hf_write").create_repo("bob/roles")
