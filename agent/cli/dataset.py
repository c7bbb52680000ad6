"""`rolecall dataset`: train a classifier on a data set, and review its mistakes.

These commands are separate from `train` and `evaluate`, which work on tickets, roles and reviews: they share no option.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from agent.cli import layout
from agent.cli.console import Console
from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for
from agent.cli.publish import version_of
from agent.packages import TRAINING, require

if TYPE_CHECKING:
    from agent.fitting.evaluation import Report
    from agent.fitting.job import Progress as Step
    from agent.model_api.dataset_predictions import RowPrediction
    from agent.model_api.datasets import Columns, Dataset, Row
    from agent.serving.artefact import Manifest

EXCERPT = 160

app = typer.Typer(help="Train and evaluate classifiers on data sets (SetFit's recipe).", no_args_is_help=True)

DatasetArgument = Annotated[
    str, typer.Argument(help="A file (CSV, .xlsx, JSON, Parquet), a folder of them, or an id on the hub.")
]
SplitOption = Annotated[str, typer.Option(help="Split of a folder or of a data set on the hub.")]
TextOption = Annotated[
    list[str] | None,
    typer.Option(
        "--text", metavar="COLUMN", help="Column of the text. May be repeated: several are joined.", show_default="text"
    ),
]
LabelOption = Annotated[str, typer.Option("--label", help="Column of the label.")]
NamesOption = Annotated[
    list[str] | None, typer.Option("--name", metavar="LABEL=NAME", help="Name of a label, as 0=World. May be repeated.")
]


@app.command()
def train(
    dataset: DatasetArgument,
    model: Annotated[str, typer.Option("--model", help="Name of the model; a name that exists gets a new version.")],
    split: SplitOption = "train",
    per_class: Annotated[int, typer.Option(min=1, help="Number of texts of each label to train on.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed of the random draw of texts.")] = 42,
    text: TextOption = None,
    label: LabelOption = "label",
    name: NamesOption = None,
    base_model: Annotated[str | None, typer.Option(show_default="the first of api.base_models")] = None,
    trainer: Annotated[str, typer.Option(help="contrastive, frozen, or setfit (the stock one).")] = "contrastive",
    num_iterations: Annotated[int, typer.Option(help="As in SetFit.")] = 20,
    learning_rate: Annotated[float, typer.Option(help="As in SetFit.")] = 2e-5,
    batch_size: Annotated[int, typer.Option(help="As in SetFit: pairs a step.")] = 16,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Train a classifier on a few texts of each label. It is then available at /v1/predict, too.

    How often it is right is measured on texts that it was not trained on; `rolecall dataset evaluate` judges it on the
    rest.
    """
    from agent.data_directory import DataDirectory
    from agent.errors import BadInput
    from agent.learning.turn import cancelled_by_sigterm, turn
    from agent.model_api.classifier import train as train_classifier
    from agent.model_api.datasets import per_class as draw
    from agent.model_api.datasets import read
    from agent.model_api.training_request import job, request_of
    from agent.model_api.web.assembly import job_limits, named_models
    from agent.serving.pruning import tidied
    from agent.store.tables import utcnow

    require(*TRAINING)
    settings = settings_for(config, data)
    directory = DataDirectory(settings.data)
    directory.create()
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    drawn, rest = draw(_told(read(dataset, split, _columns(text, label, name)), console), per_class, seed)
    if (labels := len({row.label for row in drawn})) < 2:
        raise BadInput(f"{dataset}: texts of {labels} labels; training takes two or more (another column: --label)")
    wanted = {
        "model_name": model,
        "examples": [{"text": row.text, "label": row.label} for row in drawn],
        "trainer": trainer,
        "num_iterations": num_iterations,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "seed": seed,
    }
    request = request_of(wanted)
    registry = named_models(settings.api, directory).for_training(model)
    planned = job(request, base_model or settings.api.base_models[0], directory.encoders, settings.api.threads)
    limits = job_limits(settings.api)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        line = bar.add_task("training", total=None)

        def show(step: Step) -> None:
            bar.update(line, description=step.phase, completed=step.done, total=step.total)

        async def in_turn() -> Manifest:
            scratch, keep = directory.training, settings.learning.keep_versions
            async with turn(directory.path, show):
                with tidied(registry, scratch, keep, utcnow()):
                    return await train_classifier(planned, registry, scratch, limits, f"from {dataset}", show)

        manifest = asyncio.run(cancelled_by_sigterm(in_turn()))
    interval, seconds = manifest.metrics["pooled"]["accuracy_interval"], manifest.metrics["training_duration_seconds"]
    console.print(
        f"{escape(model)}, version {manifest.version}: {len(drawn)} texts of {len(manifest.roles)} labels in "
        f"{seconds:.0f} s; right on {manifest.metrics['accuracy']:.1%} (95 %: {interval['low']:.1%}-"
        f"{interval['high']:.1%}, {manifest.metrics['judged_by']}); {len(rest)} texts left to judge it on"
    )


@app.command()
def evaluate(
    dataset: DatasetArgument,
    model: Annotated[str, typer.Option("--model", help="Name or alias of the model.")],
    split: SplitOption = "test",
    text: TextOption = None,
    label: LabelOption = "label",
    name: NamesOption = None,
    wrong: Annotated[int, typer.Option(help="Number of wrong predictions to print, most confident first.")] = 50,
    html: Annotated[Path | None, typer.Option(help="Write all of them to an HTML page for review by keyboard.")] = None,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Evaluate a classifier on the texts that it was not trained on, and show its wrong predictions.

    Sometimes the data set is wrong: on the page that --html writes, a person can mark such labels.
    """
    from agent.errors import BadInput
    from agent.model_api.dataset_predictions import mistakes, predict, unseen
    from agent.model_api.dataset_report import render
    from agent.model_api.datasets import read
    from agent.serving.model import load

    settings = settings_for(config, data)
    registry, manifest = version_of(settings, model)
    classifier = load(registry.folder(manifest.version), registry.encoders, threads=settings.api.threads)
    console = Console(highlight=False, soft_wrap=True)
    rows = _told(read(dataset, split, _columns(text, label, name)), console)
    if not (left := unseen(rows, manifest)):
        raise BadInput(f"{dataset}: nothing is left that {model} was not trained on; name another file, or a --split")
    with Progress(TextColumn("judging"), BarColumn(), TimeElapsedColumn(), console=console, transient=True) as bar:
        line = bar.add_task("judging", total=len(left))
        predictions, report = predict(classifier, left, lambda done: bar.update(line, completed=done))
    found = mistakes(predictions)
    _show(console, report, found, wrong)
    if len(rows) > len(left):
        console.print(f"{len(rows) - len(left)} texts left out: the model was trained on them")
    if html is not None:
        html.write_text(render(f"{model} on {dataset}", report, found), "utf-8")
        console.print(f"to be reviewed: {html}")


def _columns(text: list[str] | None, label: str, names: list[str] | None) -> Columns:
    from agent.errors import BadInput
    from agent.model_api.datasets import Columns

    if faulty := [name for name in names or () if "=" not in name]:
        raise BadInput(f"--name {faulty[0]}: must be LABEL=NAME")
    mapping = dict(name.split("=", 1) for name in names) if names else None
    return Columns(tuple(text or ("text",)), label, mapping)


def _told(found: Dataset, console: Console) -> Sequence[Row]:
    """Print how the files were read and what was left out, and return the rows."""
    for line in found.read_as:
        console.print(escape(line))
    if found.skipped:
        console.print(f"{found.skipped} rows skipped: they have no text or no label")
    return found.rows


def _show(console: Console, report: Report, found: list[RowPrediction], most: int) -> None:
    for a in found[:most]:
        excerpt = " ".join(a.row.text.split())[:EXCERPT]
        console.print(f"[bold]{escape(a.predicted)}[/] ({a.confidence:.2f}), true: [bold]{escape(a.row.label)}[/]")
        console.print(f"  {escape(excerpt)}")
    table = layout.table("label", "texts", "found", "right when named", "F1")
    for r in report.by_role:
        layout.row(table, r.role, r.support, f"{r.recall:.0%}", f"{r.precision:.0%}", f"{r.f1:.2f}")
    console.print(table)
    between = f"95 %: {report.accuracy_interval.low:.1%}-{report.accuracy_interval.high:.1%}"
    console.print(f"{report.tickets} texts, {len(found)} wrong answers, macro-F1 {report.macro_f1:.3f}")
    console.print(
        f"Right on {report.tickets - len(found)} of {report.tickets} texts: {report.accuracy:.1%} ({between})"
    )
