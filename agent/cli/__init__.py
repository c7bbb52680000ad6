"""The command `rolecall`: one file per command, each importing what it needs only when it runs."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from agent.cli import (
    backtest,
    check,
    clean,
    dataset,
    db,
    evaluate,
    importing,
    login,
    models,
    predict,
    publish,
    queue,
    rules,
    secrets,
    serve,
    study,
    train,
)
from agent.cli import demo as demo_command
from agent.errors import RolecallError

EXIT_FAULT = 2

app = typer.Typer(
    help="Rolecall reads tickets, says which role should handle them, and learns from the answer.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command("serve")(serve.serve)
app.command("check")(check.check)
app.command("import")(importing.import_)
app.command("train")(train.train)
app.command("predict")(predict.predict)
app.command("evaluate")(evaluate.evaluate)
app.command("backtest")(backtest.backtest)
app.command("clean")(clean.clean)
app.command("study")(study.study)
models.app.command("export")(publish.export)
models.app.command("push")(publish.push)
app.add_typer(models.app, name="models")
app.add_typer(dataset.app, name="dataset")
app.add_typer(rules.app, name="rules")
app.add_typer(secrets.app, name="secrets")
app.add_typer(queue.app, name="queue")
app.add_typer(db.app, name="db")
app.command("login")(login.login)
app.command("demo")(demo_command.demo)


def main() -> None:
    """Run the command line; a fault that a person can mend is a message, not a traceback."""
    try:
        app()
    except RolecallError as error:
        Console(stderr=True).print(f"[bold red]rolecall:[/] {_escaped(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(EXIT_FAULT)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
