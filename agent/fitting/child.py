"""Run a fit in a process of its own: cancellable, bounded in time and memory, and never left behind.

    result = await run(job, scratch, on_progress=print, limits=Limits(wall_seconds=900))
    artefact.write(..., result.head(), ...)
    result.discard()

Cancelling the awaiting task ends the process and raises CancelledError as everywhere in asyncio. Errors::

    FitFailed              the process ended without a result; `stderr` is the end of what it printed
    ├── FitTimedOut        it took longer than `Limits.wall_seconds`
    ├── FitOutOfMemory     it held more than `Limits.memory_mb`, or the system killed it
    └── FitCancelled       somebody else ended it with a signal
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import RolecallError
from agent.fitting.job import JOB, PACKAGED, FitResult, Job, Progress, Recipe
from agent.packages import TRAINING, require

NICENESS = 10  # serving comes first on a small machine
GRACE_SECONDS = 5.0  # between asking the process to end and ending it
POLL_SECONDS = 0.25  # between two checks of its memory
STDERR_BYTES = 4000
LINE_BYTES = 1 << 20
HUB_VARIABLES = ("HF_TOKEN", "HF_HOME", "HF_ENDPOINT")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class FitFailed(RolecallError):
    """The training process ended without a result."""

    def __init__(self, reason: str, stderr: str = "") -> None:
        super().__init__(f"training failed: {reason}")
        self.reason = reason
        self.stderr = stderr


class FitTimedOut(FitFailed):
    """The training process took too long."""


class FitOutOfMemory(FitFailed):
    """The training process took too much memory."""


class FitCancelled(FitFailed):
    """Somebody ended the training process with a signal."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a fit ends at the latest. Memory is resident memory: limiting the address space breaks torch."""

    wall_seconds: float = 3600.0
    memory_mb: float = 2048.0
    wall_setting: str = "[learning] timeout_seconds"
    memory_setting: str = "[learning] memory_mb"
    """Where an operator sets them: named where a fit ends by one."""


def ignore(progress: Progress) -> None:
    """Ignore progress."""


async def run(
    job: Job, scratch: Path, *, on_progress: Callable[[Progress], None] = ignore, limits: Limits | None = None
) -> FitResult:
    """Run `job` in a child process, in a folder of its own under `scratch`, and return its result.

    `on_progress` is called in the event loop. Raises the errors of the module's tree; on any error and on cancellation
    the process is gone and its folder deleted.
    """
    require(*TRAINING)
    folder = _prepare(job, scratch)
    try:
        return await _run(folder, environment(job.recipe), on_progress, limits or Limits())
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _prepare(job: Job, scratch: Path) -> Path:
    scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="fit-", dir=scratch))
    (folder / JOB).write_text(json.dumps(job.to_json()), "utf-8")
    return folder


def environment(recipe: Recipe) -> dict[str, str]:
    """Return the variables that the child starts with: threads as the recipe says, no network unless it needs the hub.

    Our own variables stay behind: the training process has no use for a connector's secrets.
    """
    hub = recipe.base_model != PACKAGED and not Path(recipe.base_model).is_dir()
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ROLECALL_") and (hub or name not in HUB_VARIABLES)
    }
    variables |= dict.fromkeys(THREAD_VARIABLES, str(recipe.threads))
    variables |= {"TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": "", "PYTHONHASHSEED": "0"}
    return variables if hub else variables | {"HF_HUB_OFFLINE": "1"}


async def _run(
    folder: Path, variables: dict[str, str], on_progress: Callable[[Progress], None], limits: Limits
) -> FitResult:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agent.fitting.process",
        str(folder),
        stdin=asyncio.subprocess.PIPE,  # never written to: the child ends when it closes, so when we die
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=variables,
        limit=LINE_BYTES,
        start_new_session=True,  # an interrupt at the terminal is ours to handle
    )
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
    stderr = bytearray()
    excess: list[float] = []
    watchers = [
        asyncio.create_task(_tail(process.stderr, stderr)),
        asyncio.create_task(_watch_memory(process, limits.memory_mb, excess)),
    ]
    outcome: dict[str, Any] = {}
    try:
        async with asyncio.timeout(limits.wall_seconds):
            outcome = await _listen(process.stdout, on_progress)
            code = await process.wait()
        await watchers[0]
    except TimeoutError as error:
        raise FitTimedOut(f"longer than {limits.wall_seconds:.0f} s, {limits.wall_setting}", _text(stderr)) from error
    finally:
        await _end(process)
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
    if code == 0 and "result" in outcome:
        return _result(outcome["result"])
    raise _failure(code, outcome, excess, limits, _text(stderr))


def _failure(code: int, outcome: dict[str, Any], excess: list[float], limits: Limits, stderr: str) -> FitFailed:
    if excess:
        allowed = f"{limits.memory_mb:.0f}, {limits.memory_setting}"
        return FitOutOfMemory(f"it took {excess[0]:.0f} MB, and may take {allowed}", stderr)
    if code == -signal.SIGKILL:
        return FitOutOfMemory("the system killed it, most likely for its memory", stderr)
    if code < 0:
        return FitCancelled(f"ended by signal {-code}", stderr)
    lines = stderr.strip().splitlines()
    return FitFailed(outcome.get("failed") or (lines[-1] if lines else f"exit code {code}"), stderr)


def _result(raw: dict[str, Any]) -> FitResult:
    losses = {int(step): loss for step, loss in raw["validation_losses"].items()}
    return FitResult(**raw | {"folder": Path(raw["folder"]), "validation_losses": losses})


async def _listen(stream: asyncio.StreamReader | None, on_progress: Callable[[Progress], None]) -> dict[str, Any]:
    outcome: dict[str, Any] = {}
    while stream is not None and (line := await stream.readline()):
        message = json.loads(line)
        if "progress" in message:
            on_progress(Progress(**message["progress"]))
        else:
            outcome = message
    return outcome


async def _tail(stream: asyncio.StreamReader | None, tail: bytearray) -> None:
    while stream is not None and (chunk := await stream.read(STDERR_BYTES)):
        tail += chunk
        del tail[:-STDERR_BYTES]


async def _watch_memory(process: asyncio.subprocess.Process, limit: float, excess: list[float]) -> None:
    while process.returncode is None:
        held = await resident_mb(process.pid)
        if held > limit:
            excess.append(held)
            process.kill()
            return
        await asyncio.sleep(POLL_SECONDS)


async def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MB; 0 where there is no such process."""
    pages = _resident_pages(pid)
    return await _listed_mb(pid) if pages is None else pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _resident_pages(pid: int) -> int | None:
    """Return the pages that Linux reports, None where there is no /proc."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return None


async def _listed_mb(pid: int) -> float:
    """Return the memory that `ps` reports, for other systems such as macOS."""
    command = ("ps", "-o", "rss=", "-p", str(pid))
    try:
        listing = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    except FileNotFoundError:  # a container without it has /proc
        return 0.0
    try:
        listed, _ = await listing.communicate()
    finally:
        await _end(listing)  # whoever stops watching leaves no process behind
    return int(listed or 0) / 1024


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _text(raw: bytearray) -> str:
    return raw.decode("utf-8", "replace")
