"""A data set from file to classifier, to a page of its mistakes, to SetFit's layout, to the hub: in that order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from agent.cli import app
from agent.errors import BadInput
from agent.model_api.named_models import UnknownModel
from tests.agent.cli.test_terminal import EVIL, FORBIDDEN
from tests.agent.fitting.conftest import tiny_base
from tests.shared import exported_encoders
from tests.stubs.hub import hub

pytestmark = pytest.mark.xdist_group("dataset")  # what they share is made once

__all__ = ["tiny_base"]

WORDS = {"0": ["pump leaks", "oil hose", "hose burst", "cylinder seal"], "1": ["lamp dark", "fuse short", "wire cut"]}
NASTY = "<script>alert(1)</script> [bold]oil"

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    folder = tmp_path_factory.mktemp("dataset")
    (folder / "data").mkdir(mode=0o700)
    shutil.copytree(exported_encoders(tmp_path_factory, str(tiny_base), "tiny-encoders"), folder / "data/encoders")
    (folder / "agent.toml").write_text(f"[api]\nbase_models = ['{tiny_base}']\nthreads = 1\n")
    rows = [f"{text} {number},{label}" for label, texts in WORDS.items() for text in texts for number in range(4)]
    (folder / "rows.csv").write_text("\n".join(["text,label", *rows, f"{NASTY},1"]))
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    def run(*words: str) -> Result:
        places = ["--config", str(folder / "agent.toml"), "--data", str(folder / "data")]
        return CliRunner().invoke(app, [*words, *places], catch_exceptions=False, env={"COLUMNS": "200"})

    return run


@pytest.fixture(scope="module")
def trained(folder: Path, run: Run) -> str:
    """Train on three texts of each label; what was said."""
    recipe = ("--model", "faults", "--per-class", "6", "--trainer", "frozen", "--name", "0=Oil", "--name", "1=Power")
    return run("dataset", "train", str(folder / "rows.csv"), *recipe).output


def test_training_says_what_was_learnt_and_how_well(trained: str) -> None:
    assert re.search(
        r"faults, version \S+: 12 texts of 2 labels .* right on \d+\.\d% \(95 %: [\d.]+%-[\d.]+%, cross-fit\)", trained
    )
    assert "17 texts left to judge it on" in trained


@pytest.mark.usefixtures("trained")
def test_no_data_set_reaches_the_terminal(folder: Path, run: Run) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in EVIL]
    rows = [f'"{text}","{" ".join(text.split())} {number}"' for number, text in enumerate(texts)]
    (folder / "evil.csv").write_text("\n".join(["text,label", *rows]), "utf-8", newline="")
    said = run("dataset", "evaluate", str(folder / "evil.csv"), "--model", "faults").output
    assert FORBIDDEN.findall(said) == []
    assert f"{len(EVIL)} wrong answers" in said


@pytest.mark.usefixtures("trained")
def test_every_wrong_answer_is_shown_and_put_on_a_page_without_scripts_of_others(folder: Path, run: Run) -> None:
    page = folder / "review.html"
    names = ("--name", "0=Power", "--name", "1=Oil")  # the data set is wrong about everything: all answers are mistakes
    said = run("dataset", "evaluate", str(folder / "rows.csv"), "--model", "faults", "--html", str(page), *names).output
    found = re.search(r"(\d+) texts, (\d+) wrong answers", said)
    assert found is not None
    judged, wrong = map(int, found.groups())
    assert judged == 17
    assert "12 texts left out: the model was trained on them" in said
    assert len(re.findall(r"^\w+ \(\d\.\d\d\), true: \w+$", said, re.MULTILINE)) == wrong > 8
    html = page.read_text("utf-8")
    assert html.count("<article ") == wrong
    assert html.count("<script>") == 1
    assert "http" not in html.replace("http-equiv", "")


def test_a_model_that_nobody_trained_is_named(folder: Path, run: Run) -> None:
    with pytest.raises(UnknownModel, match="nothing: there is no such model"):
        run("dataset", "evaluate", str(folder / "rows.csv"), "--model", "nothing")


@pytest.mark.parametrize(
    ("options", "said"),
    [(("--per-class", "1", "--model", ".."), "model_name"), (("--model", "m", "--trainer", "magic"), "trainer")],
)
def test_what_cannot_be_trained_is_refused_with_a_reason(
    folder: Path, run: Run, options: tuple[str, ...], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        run("dataset", "train", str(folder / "rows.csv"), *options)


@pytest.mark.usefixtures("trained")
def test_a_model_is_exported_and_published_without_a_pickle(folder: Path, run: Run) -> None:
    assert "is in" in run("models", "export", str(folder / "layout"), "--model", "faults").output
    written = {path.name for path in (folder / "layout").iterdir()}
    with hub() as stub:
        stub.accounts["hf_secret"] = "kim"
        environ = os.environ | {"HF_ENDPOINT": stub.url, "HF_TOKEN": "hf_secret", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        places = ["--config", str(folder / "agent.toml"), "--data", str(folder / "data")]
        command = [sys.executable, "-m", "agent.cli", "models", "push", "kim/faults", "--model", "faults", *places]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert set(stub.repositories["kim/faults"]) >= written
        assert not any(name.endswith((".pkl", ".bin")) for name in stub.repositories["kim/faults"])
        stranger = environ | {"HF_TOKEN": "hf_unknown"}
        refused = subprocess.run(command, env=stranger, capture_output=True, text=True, check=False)
        assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)
        assert "hf_unknown" not in refused.stderr
