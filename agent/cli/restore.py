"""`rolecall restore`: put a backup in the place of an installation, or undo that."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.backup import DOTENV
from agent.cli.console import say
from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for

if TYPE_CHECKING:
    from agent.keeping.restore import Places, Restored


def restore(
    file: Annotated[Path | None, typer.Argument(help="The backup.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Put aside what is there already.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Put back what the last restore put aside.")] = False,
    data_only: Annotated[bool, typer.Option("--data-only", help="Leave the configuration as it is.")] = False,
    forgotten: Annotated[
        Path | None, typer.Option(help="forgotten.jsonl of the installation as it was last: what it says is forgotten.")
    ] = None,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Check a backup and put it in place: the data directory, and the configuration beside --config. Stop serve first.

    Nothing changes before all of the file was compared with what it says, and what is there already is never deleted.
    """
    from agent.errors import BadInput
    from agent.keeping.restore import alone
    from agent.keeping.restore import restore as put_in_place
    from agent.keeping.restore import undo as put_back
    from agent.keeping.swap import finish
    from agent.store.tables import utcnow

    if (file is None) is not undo:
        raise BadInput("name the backup to restore, or say --undo")
    if forgotten and not forgotten.exists():
        raise BadInput(f"{forgotten}: there is no such file")
    places = _places(config, data, data_only=data_only, force=force)
    if finish(places.directory.path):
        say(f"completed a restore into {places.directory.path} that had been interrupted; nothing else was done")
        return
    places.directory.create()
    with alone(places.directory):
        if file is None:
            for folder in put_back(places, utcnow()):
                say(f"what was there until now is in {folder}")
            say(f"{places.directory.path} is as it was before the last restore")
            return
        restored = asyncio.run(put_in_place(file, places, forgotten, utcnow(), force=force))
    _report(restored, places)


def _places(config: Path, data: Path | None, *, data_only: bool, force: bool) -> Places:
    """Return where to restore to, as the settings on this machine say; a new machine has none yet.

    Faulty ones are replaced with `force`, but then `data` has to say where to.
    """
    from agent.data_directory import DataDirectory
    from agent.errors import ConfigurationError
    from agent.keeping.restore import Places

    chosen = None if data_only else config
    try:
        settings = settings_for(config, data, begins=True)
    except ConfigurationError:
        if config.exists() and (data is None or not force):
            raise
        path = data or Path(os.environ.get("ROLECALL_DATA", "data"))
        api_models = os.environ.get("ROLECALL_API__MODELS") or os.environ.get("MODEL_PATH")
        return Places(DataDirectory(path), Path(api_models) if api_models else path / "api-models", chosen, DOTENV)
    directory = DataDirectory(settings.data)
    return Places(directory, settings.api.models or directory.api_models, chosen, DOTENV)


def _report(restored: Restored, places: Places) -> None:
    from agent.keeping.restore import age

    made = age(restored.manifest)
    say(f"{places.directory.path} is as it was on {made}, when the backup was made by {restored.manifest.release}")
    for path in restored.written:
        say(f"written: {path}")
    for path in restored.aside:
        say(f"what was there before is in {path}")
    if restored.forgotten:
        done = restored.forgotten
        say(f"forgotten again: {done.tickets} tickets, {len(done.versions)} models that had learnt from them")
    if not restored.told:
        say(f"whatever was forgotten since {made} has to be forgotten again: `rolecall forget`, see deploy/README.md")
    if not restored.manifest.with_secrets:
        say("the backup holds no secrets: store them again; `rolecall check` names what is missing")
    if restored.manifest.schema_version is None:
        say("the database was PostgreSQL's: restore it with pg_restore, see deploy/README.md")
    say("next: `rolecall check`, then `rolecall serve`; tickets since then are found by the poll")
