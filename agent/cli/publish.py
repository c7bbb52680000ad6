"""`rolecall models export` and `push`: a model in SetFit's own layout, in a folder or on the Hugging Face hub."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from agent.serving.artefact import Manifest
    from agent.serving.registry import Registry

OWN = "rolecall"
"""The ticket agent's own model."""

ModelOption = Annotated[str, typer.Option("--model", help="Name of the model; rolecall is the ticket agent's own.")]
VersionOption = Annotated[str | None, typer.Option("--version", show_default="the one that serves")]
PickleOption = Annotated[bool, typer.Option("--pickle-head", help="Add the pickle that SetFit loads the head from.")]


def export(
    target: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    model: ModelOption = "rolecall",
    version: VersionOption = None,
    pickle_head: PickleOption = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Write a model in SetFit's own layout: `SetFitModel.from_pretrained` loads it.

    The head is not pickled unless --pickle-head is given; the README in the folder shows how to load it.
    """
    _write(target, model, version, pickle_head, config, data)
    typer.echo(f"{model} is in {target}")


def push(
    repository: Annotated[str, typer.Argument(help="OWNER/NAME on the hub; created if it does not exist.")],
    model: ModelOption = "rolecall",
    version: VersionOption = None,
    private: Annotated[bool, typer.Option(help="Make a new repository private.")] = True,
    pickle_head: PickleOption = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Publish a model on the Hugging Face hub, in SetFit's own layout. See `rolecall login`."""
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    from agent.errors import BadInput

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "model"
        chosen = _write(target, model, version, pickle_head, config, data)
        hub = HfApi()
        try:
            hub.create_repo(repository, private=private, exist_ok=True)
            done = hub.upload_folder(repo_id=repository, folder_path=target, commit_message=f"{model} {chosen}")
        except HFValidationError as error:
            raise BadInput(str(error)) from None
        except LocalTokenNotFoundError:
            raise BadInput("the hub does not know you: `rolecall login`") from None
        except (HfHubHTTPError, httpx.HTTPError) as error:
            raise BadInput(f"{hub.endpoint}: {error}") from None
    typer.echo(done.commit_url)


def version_of(settings: Settings, model: str, version: str | None = None) -> tuple[Registry, Manifest]:
    """Return a model's registry and one of its versions, by default the one that serves. Raises UnknownModel."""
    from agent.data_directory import DataDirectory
    from agent.model_api.named_models import UnknownModel
    from agent.model_api.web.assembly import named_models

    try:
        _, registry, manifest = named_models(settings.api, DataDirectory(settings.data)).version(model, version)
    except UnknownModel as error:
        if version is not None:
            raise
        makes = "`rolecall train`" if model == OWN else f"`rolecall dataset train FILE --model {model}`"
        raise UnknownModel(model, f"{error.reason}; {makes} makes it") from None
    return registry, manifest


def _write(target: Path, model: str, version: str | None, pickle_head: bool, config: Path, data: Path | None) -> str:
    from agent.fitting.export_setfit import export as write

    registry, manifest = version_of(settings_for(config, data), model, version)
    write(registry, manifest.version, target, pickle_head=pickle_head)
    return manifest.version
