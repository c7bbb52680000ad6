"""The command `rolecall`: one file per command, each importing what it needs only when it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer
from rich.markup import escape

from agent.cli import (
    backtest,
    check,
    clean,
    connectors,
    dataset,
    db,
    evaluate,
    failures,
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
from agent.cli.console import Console

EXIT_CODES = (
    "Exit codes: 0 done; 1 a check failed; 2 something must be fixed first, the message names it; 70 a bug in "
    "Rolecall, the message names the file with the traceback; 130 Ctrl-C; 141 the reader of the output has gone; "
    "143 a training that SIGTERM ended."
)

app = typer.Typer(
    help="Read tickets, suggest which role should handle each, and learn from what people say.",
    epilog=EXIT_CODES,
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
app.add_typer(connectors.app, name="connectors")
app.add_typer(queue.app, name="queue")
app.add_typer(db.app, name="db")
app.command("login")(login.login)
app.command("demo")(demo_command.demo)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit. Every error becomes a message and an exit code, never a traceback."""
    try:
        app(arguments)
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        end_with(end.__context__)  # rich and typer call it a failure like any other
    except BaseException as error:  # noqa: BLE001 - the place where errors end
        end_with(error)
    sys.exit(0)


def end_with(error: BaseException) -> NoReturn:
    """Print the error message and exit."""
    failed = failures.failure(error)
    if failed.code == failures.NO_READER:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's last flush would fail
    if failed.message:
        text = "[bold red]rolecall:[/] " + escape(failed.message)
        Console(stderr=True).print(text, highlight=False, soft_wrap=True)
    sys.exit(failed.code)
