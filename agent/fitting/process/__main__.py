"""The training process: `python -m agent.fitting.process FOLDER` does the job that lies in FOLDER/job.json.

Standard output carries one JSON object a line, `{"progress": ...}` any number of times and `{"result": ...}` or
`{"failed": reason}` at the end. The process ends with its parent: it watches standard input, which closes then.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.packages import missing

ORPHANED = 3  # exit code
REPORT_EVERY = 0.2  # seconds


def main() -> int:
    """Run one job and return the exit code."""
    began = time.monotonic()
    # libraries print to standard output; the protocol keeps its own copy of it
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as protocol:
        os.dup2(2, 1)
        threading.Thread(target=_end_with_parent, daemon=True).start()

        def say(message: dict[str, Any]) -> None:
            protocol.write(json.dumps(message) + "\n")
            protocol.flush()

        last = 0.0

        def report(phase: str, done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if done == total or now - last >= REPORT_EVERY:
                last = now
                say({"progress": {"phase": phase, "done": done, "total": total, "seconds": now - began}})

        from agent.fitting.job import JOB, Job
        from agent.fitting.process.run import fit
        from agent.fitting.process.source import ExportError, UnusableBaseModel

        folder = Path(sys.argv[1])
        job = Job.from_json(json.loads((folder / JOB).read_text("utf-8")))
        try:
            result = fit(job, folder, report)
        except ModuleNotFoundError as error:  # of a recipe that needs more than others do, such as SetFit's own trainer
            say({"failed": missing(str(error.name).partition(".")[0]) or str(error)})
            return 1
        except (UnusableBaseModel, ExportError) as error:
            say({"failed": str(error)})
            return 1
        say({"result": asdict(result) | {"folder": str(folder)}})
    return 0


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    sys.exit(main())
