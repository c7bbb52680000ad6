"""The command `rolecall`: one file per command, each importing what it needs only when it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

from agent.cli import (
    act,
    backfill,
    backtest,
    backup,
    check,
    clean,
    comments,
    connectors,
    dataset,
    db,
    decisions,
    doctor,
    evaluate,
    export,
    failures,
    forget,
    importing,
    init,
    ladder,
    login,
    mcp,
    models,
    notices,
    predict,
    publish,
    queue,
    reading,
    recording,
    report,
    restore,
    roles,
    rules,
    secrets,
    serve,
    study,
    systems,
    train,
    users,
)
from agent.cli import demo as demo_command
from agent.cli.console import Console
from agent.cli.flags import stand_alone

PRIVATE = 0o077
SET_UP, DAILY, STUDY = "Set up", "Every day", "Study"

EXIT_CODES = (
    "Exit codes: 0 done; 1 a check failed; 2 something must be fixed first, the message names it; 70 a bug in "
    "Rolecall, the message names the file with the traceback; 74 the database is damaged; 130 Ctrl-C; 141 the reader "
    "of the output has gone; 143 a training that SIGTERM ended."
)

app = typer.Typer(
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"rolecall {version('rolecall')}")
        raise typer.Exit


@app.callback()
def rolecall(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Read tickets, suggest which role should handle each, and learn from what people say."""


app.command("serve", rich_help_panel=DAILY)(serve.serve)
app.command("check", rich_help_panel=SET_UP)(check.check)
app.command("init", rich_help_panel=SET_UP)(init.init)
app.command("import", rich_help_panel=SET_UP)(importing.import_)
app.command("backfill", rich_help_panel=SET_UP)(backfill.backfill)
app.command("train", rich_help_panel=DAILY)(train.train)
app.command("predict", rich_help_panel=DAILY)(predict.predict)
app.command("evaluate", rich_help_panel=STUDY)(evaluate.evaluate)
app.command("backtest", rich_help_panel=STUDY)(backtest.backtest)
app.command("clean", rich_help_panel=STUDY)(clean.clean)
app.command("study", rich_help_panel=STUDY)(study.study)
models.app.command("export")(publish.export)
models.app.command("push")(publish.push)
app.add_typer(models.app, name="models", rich_help_panel=DAILY)
app.add_typer(dataset.app, name="dataset", rich_help_panel=STUDY)
app.command("roles", rich_help_panel=SET_UP)(roles.roles)
app.add_typer(rules.app, name="rules", rich_help_panel=SET_UP)
app.add_typer(secrets.app, name="secrets", rich_help_panel=SET_UP)
connectors.app.command("show")(systems.show)
connectors.app.command("setup")(systems.setup)
connectors.app.command("test")(systems.try_)
connectors.app.command("record")(recording.record)
connectors.app.command("read")(reading.read)
app.add_typer(notices.app, name="notices", rich_help_panel=SET_UP)
app.add_typer(connectors.app, name="connectors", rich_help_panel=SET_UP)
app.add_typer(queue.app, name="queue", rich_help_panel=DAILY)
app.command("export", rich_help_panel=DAILY)(export.export)
app.command("report", rich_help_panel=DAILY)(report.report)
app.command("decisions", rich_help_panel=DAILY)(decisions.decisions)
app.add_typer(act.app, name="act", rich_help_panel=DAILY)
app.add_typer(ladder.app, name="ladder", rich_help_panel=DAILY)
app.add_typer(comments.app, name="comments", rich_help_panel=SET_UP)
app.add_typer(db.app, name="db", rich_help_panel=SET_UP)
app.add_typer(users.app, name="users", rich_help_panel=SET_UP)
app.command("forget", rich_help_panel=DAILY)(forget.forget)
app.command("doctor", rich_help_panel=SET_UP)(doctor.doctor)
app.command("backup", rich_help_panel=SET_UP)(backup.backup)
app.command("restore", rich_help_panel=SET_UP)(restore.restore)
app.command("mcp", rich_help_panel=DAILY)(mcp.mcp)
app.command("login", rich_help_panel=SET_UP)(login.login)
app.command("demo", rich_help_panel=SET_UP)(demo_command.demo)
stand_alone(app)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit. Every error becomes a message and an exit code, never a traceback."""
    os.umask(os.umask(PRIVATE) | PRIVATE)  # whatever is written may hold words of tickets
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that lacks a letter shows its number
            stream.reconfigure(errors="backslashreplace")
    try:
        app(arguments)
    except SystemExit as end:
        if isinstance(getattr(end.__context__, "__context__", None), KeyboardInterrupt):  # at a question
            sys.exit(failures.INTERRUPTED)
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
