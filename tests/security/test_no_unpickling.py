"""A process that serves under a guard that no pickle passes: nothing in it reads one. A proof has one that learns."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from agent.serving.registry import Registry
from tests.agent.serving.conftest import Build, build
from tests.client.served import KEY

__all__ = ["build"]

ROOT = Path(__file__).parents[2]

GUARD = """
import sys
def guard(event, values):
    if event == "pickle.find_class":
        print("UNPICKLED", values, file=sys.stderr, flush=True)
        raise RuntimeError(f"unpickles {values}")
sys.addaudithook(guard)
"""
SERVE = GUARD + "import agent.cli; sys.argv = ['rolecall', *sys.argv[1:]]; agent.cli.main()"
POISONED = GUARD + "import pickle, collections; pickle.loads(pickle.dumps(collections.OrderedDict()))"
POISONED_ARRAY = GUARD + (
    "import io, numpy as np; file = io.BytesIO(); np.save(file, np.array([np.datetime64], dtype=object));"
    "file.seek(0); np.load(file, allow_pickle=True)"
)


@pytest.mark.parametrize("program", [POISONED, POISONED_ARRAY])
def test_the_guard_notices_a_pickle(program: str) -> None:
    """The control."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "UNPICKLED" in done.stderr


def test_a_server_loads_and_serves_models_without_unpickling(build: Build, tmp_path: Path) -> None:
    data = tmp_path / "data"
    places = {"v1": data / "models", "v2": tmp_path / "named" / "intents"}
    for version in places:
        build(version)
    data.mkdir()
    (tmp_path / "encoders").rename(data / "encoders")
    for version, models in places.items():
        registry = Registry(models, data / "encoders")
        registry.models.mkdir(parents=True)
        (tmp_path / "models" / version).rename(registry.folder(version))
        registry.activate(version, "put there")
    (tmp_path / "agent.toml").write_text(
        f"rules = {json.dumps(str(ROOT / 'tests/tickets/rules.toml'))}\n"
        f"roles = {json.dumps(str(ROOT / 'tests/tickets/roles.toml'))}\n"
        f"[api]\nmodels = {json.dumps(str(tmp_path / 'named'))}\n"
    )
    command = [sys.executable, "-c", SERVE, "serve", "--config", str(tmp_path / "agent.toml"), "--data", str(data)]
    with subprocess.Popen(
        [*command, "--port", "0"], cwd=ROOT, stderr=subprocess.PIPE, text=True, env={"API_KEY": KEY}
    ) as server:
        assert server.stderr is not None
        said = ""
        while "http://" not in said:
            line = server.stderr.readline()
            assert line, said
            said += line
        url = "http://" + said.rpartition("http://")[2].split()[0]
        with httpx.Client(base_url=url, headers={"X-API-Key": KEY}, trust_env=False, timeout=60) as client:
            asked = {"model_name": "intents", "texts": ["oil leaks"]}
            answers = [client.post(f"/v1/{what}", json=asked) for what in ("predict", "embeddings")]
            ready = client.get("/readyz").json()
        server.terminate()
        said += server.stderr.read()
    assert [answer.status_code for answer in answers] == [200, 200], [answer.text for answer in answers]
    assert ready["model"] == "v1"
    assert "UNPICKLED" not in said
