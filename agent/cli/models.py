"""`rolecall models`: versions of the role model, and which one serves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli import layout
from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for, settings_for
from agent.packages import require

if TYPE_CHECKING:
    from agent.serving.registry import Registry

app = typer.Typer(help="List the trained versions, compare them, and choose which one serves.", no_args_is_help=True)

WhyOption = Annotated[str, typer.Option("--why", help="The reason, kept in the history.")]


@app.command("list")
def list_(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """List all versions, oldest first; the one that serves has an arrow."""
    registry = _registry(config, data)
    versions = registry.versions()
    if not versions:
        typer.echo("no version yet: rules and similar tickets decide; `rolecall train` makes one")
        return
    pointer = registry.active()
    table = layout.table("version", "trainer", "roles", "tickets", "right")
    for m in versions:
        accuracy = m.metrics.get("accuracy")
        arrow = "→ " if pointer and pointer.version == m.version else "  "
        shown = "" if accuracy is None else f"{accuracy:.0%}"
        layout.row(table, f"{arrow}{m.version}", m.trainer, len(m.roles), sum(map(len, m.tickets.values())), shown)
    console = layout.console()
    console.print(table)
    for move in registry.history()[-5:]:
        layout.entry(console, f"{move.at}  {move.kind} {move.version}", move.why)


@app.command()
def activate(version: str, why: WhyOption = "by hand", config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Activate a version. A running server loads it within seconds."""
    registry = _registry(config, data)
    _ensure(registry, version)
    typer.echo(f"{registry.activate(version, why).version} serves")


@app.command()
def rollback(why: WhyOption, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Activate the predecessor of the version that serves. A running server loads it within seconds."""
    typer.echo(f"{_registry(config, data).rollback(why).version} serves")


@app.command()
def compare(a: str, b: str, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Compare two versions on the same reviewed tickets, each answering as if it had not seen them."""
    require("scipy", "sklearn")

    from agent.learning.contest import contest
    from agent.learning.promotion import Terms, probability_worse

    parts = parts_for(config, data)
    registry = _registry(config, data)
    _ensure(registry, a, b)
    trial = contest(parts.database, registry, parts.classifier.rules, parts.classifier.catalogue)
    table = layout.table("version", "right", "95 %", "macro-F1", "log-loss")
    models = [trial.load(version) for version in (a, b)]
    judge, grades = trial.judge(*models), []
    for model in models:
        answers = trial.answers(model)
        found = judge.report(answers)
        interval = f"{found.accuracy_interval.low:.1%}-{found.accuracy_interval.high:.1%}"
        row = (f"{found.accuracy:.1%}", interval, f"{found.macro_f1:.3f}", f"{found.log_loss:.3f}")
        layout.row(table, model.version, *row)
        grades.append(judge.grade(answers))
    console = layout.console()
    console.print(table)
    margin = Terms().accuracy_margin
    worse = probability_worse(grades[1].right, grades[0].right, margin)
    console.print(f"{len(trial.examples)} tickets; P({b} is more than {margin:.0%} worse than {a}) = {worse:.2f}")


@app.command()
def curve(
    version: Annotated[str | None, typer.Argument(show_default="the one that serves")] = None,
    out: Annotated[Path, typer.Option(help="File to write the drawing to.")] = Path("precision-coverage.svg"),
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Draw the precision-coverage curve: how often clear suggestions are right, against how many tickets get one."""
    from agent.errors import NotPossibleYet
    from agent.learning.curve import draw
    from agent.serving.artefact import read_manifest

    require("matplotlib")
    registry = _registry(config, data)
    pointer = registry.active()
    chosen = version or (pointer.version if pointer else None)
    if chosen is None:
        raise NotPossibleYet("there is no model yet: run `rolecall train` first")
    _ensure(registry, chosen)
    kept = read_manifest(registry.folder(chosen)).metrics.get("precision_coverage")
    if not kept:
        raise NotPossibleYet(
            f"{chosen} was trained without keeping its curve: `rolecall train` makes one that keeps it"
        )
    out.write_text(draw(kept, settings_for(config, data).triage.precision_target), "utf-8")
    typer.echo(str(out))


def _ensure(registry: Registry, *versions: str) -> None:
    """Raise BadInput for what is no version that was kept."""
    from agent.errors import BadInput
    from agent.serving.artefact import MANIFEST

    for version in versions:
        if not (registry.folder(version) / MANIFEST).exists():
            raise BadInput(f"there is no version {version}: `rolecall models list` shows those that are kept")


def _registry(config: Path, data: Path | None) -> Registry:
    from agent.data_directory import DataDirectory
    from agent.serving.registry import Registry

    directory = DataDirectory(settings_for(config, data).data)
    return Registry(directory.models, directory.encoders)
