"""A frozen fit loads torch once, to export the encoder, and never again."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from agent.fitting.job import Job
from agent.fitting.process.run import fit
from tests.agent.fitting.test_fit import quietly

IN_A_NEW_PROCESS = """
import json, sys
from pathlib import Path
from agent.fitting.job import Job
from agent.fitting.process.run import fit
folder = Path(sys.argv[1])
job = Job.from_json(json.loads((folder / "job.json").read_text()))
print(fit(job, folder, lambda *progress: None).weights_sha256, "torch" in sys.modules)
"""


def test_a_frozen_fit_imports_torch_only_to_export_the_encoder(job: Job, tmp_path: Path) -> None:
    frozen = replace(job, recipe=replace(job.recipe, trainer="frozen"))
    (tmp_path / "job.json").write_text(json.dumps(frozen.to_json()))
    command = [sys.executable, "-c", IN_A_NEW_PROCESS, str(tmp_path)]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    expected = fit(frozen, tmp_path, quietly).weights_sha256
    assert (first.split(), second.split()) == ([expected, "True"], [expected, "False"])
