"""What can be known of the Dockerfile without building it; `test_image.py` builds it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
COMPARED = "--no-deps --only-binary :all: --require-hashes --requirement"
HADOLINT = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")


@pytest.fixture
def steps(tmp_path: Path) -> list[tuple[str, str]]:
    copy = tmp_path / "Dockerfile"
    shutil.copy(DOCKERFILE, copy)
    return [(step["instruction"], step["value"]) for step in DockerfileParser(str(copy)).structure]


def test_hadolint_finds_nothing() -> None:
    if HADOLINT is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([HADOLINT, str(DOCKERFILE)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def copied(steps: list[tuple[str, str]]) -> list[str]:
    """Return what is copied from the project's folder."""
    values = [value for instruction, value in steps if instruction == "COPY" and not value.startswith("--from")]
    return [word for value in values for word in value.split()[:-1]]


def test_all_that_is_copied_passes_dockerignore_and_nothing_else_does(steps: list[tuple[str, str]]) -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == set(copied(steps))
    assert {"**/.env", "**/__pycache__"} <= set(rules[1:])


def test_the_image_ends_as_a_user_without_rights_with_a_health_check_and_its_volumes(
    steps: list[tuple[str, str]],
) -> None:
    last = dict(steps)
    assert last["USER"] == "10001:10001"
    assert last["VOLUME"] == '["/app/data", "/app/models"]'
    assert "/healthz" in last["HEALTHCHECK"]
    assert (last["ENTRYPOINT"], last["CMD"]) == ('["rolecall"]', '["serve"]')


def installs(steps: list[tuple[str, str]]) -> list[str]:
    commands = [each for instruction, value in steps if instruction == "RUN" for each in value.split(" && ")]
    return [command.strip() for command in commands if "pip install" in command]


def test_all_but_torch_is_compared_with_its_hash_and_torch_comes_from_an_index_that_can_be_chosen(
    steps: list[tuple[str, str]],
) -> None:
    hashed, torch, ours, *serving = installs(steps)
    assert hashed.endswith(f"{COMPARED} requirements.txt")
    assert '--index-url "${TORCH_INDEX}" --constraint constraints.txt' in torch
    assert torch.endswith(" torch")
    assert ("ARG", "TORCH_INDEX=https://download.pytorch.org/whl/cpu") in steps
    assert ours.endswith("install --no-deps --no-build-isolation .")
    assert len(serving) == 2


def test_what_is_built_by_default_trains_and_the_serving_target_does_not(steps: list[tuple[str, str]]) -> None:
    stages = [value for instruction, value in steps if instruction == "FROM"]
    assert (stages[-2], stages[-1]) == ("runtime AS serving", "runtime")
    assert steps[-1] == ("COPY", "--from=build /opt/rolecall /opt/rolecall")
    first = steps.index(("FROM", "${PYTHON_IMAGE} AS build-serving"))
    last = steps.index(("FROM", "${PYTHON_IMAGE} AS runtime"))
    assert [install.split("pip install ")[1] for install in installs(steps[first:last])] == [
        f"{COMPARED} serving-requirements.txt",
        "--no-deps --no-build-isolation .",
    ]
