"""`rolecall login`: log in to the Hugging Face hub, for models and data sets that need an account."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from agent.cli.console import Console
from agent.cli.options import CONFIG, ConfigOption

if TYPE_CHECKING:
    from agent.config.secrets import Found

TOKEN_NAMES = ("HUGGINGFACE_APIKEY", "HF_TOKEN")
HUB_VARIABLE = "HF_TOKEN"
"""The hub's own library looks for its token here before it looks for the one that was saved at the last login."""

MISSING = """no token that the hub accepts was found:
{asked}
Make one at https://huggingface.co/settings/tokens and either write it into .env as HUGGINGFACE_APIKEY=..., or keep it
in Infisical under that name and set SECRET_CLIENT_ID, SECRET_CLIENT_SECRET, SECRET_PROJECT_SLUG,
SECRET_ENVIRONMENT_SLUG and SECRET_PATH."""


def login(config: ConfigOption = CONFIG) -> None:
    """Log in to the Hugging Face hub, unless this machine is logged in already, and list its cache.

    The token is looked for as HUGGINGFACE_APIKEY or HF_TOKEN in the environment, .env, the configured sources of
    secrets, and Infisical.
    """
    from huggingface_hub.constants import ENDPOINT

    console = Console(highlight=False, soft_wrap=True)
    if name := whoami(None):
        console.print(f"logged in to {ENDPOINT} as {escape(name)} already")
    else:
        name, origin = log_in(config)
        console.print(f"logged in to {ENDPOINT} as {escape(name)} (token: {escape(origin)})")
        if os.environ.get(HUB_VARIABLE) and not whoami(None):
            console.print(f"[yellow]warn[/] unset {HUB_VARIABLE}: the hub's library uses it instead of the saved token")
    show_cache(console)


def log_in(config: Path) -> tuple[str, str]:
    """Save the first token that the hub accepts, and return its account and origin.

    Raises NotPossibleYet, naming what each source lacks.
    """
    import huggingface_hub

    from agent.errors import NotPossibleYet

    asked: list[str] = []
    for token in tokens(config, asked):
        if name := whoami(token.value):
            huggingface_hub.login(token.value, add_to_git_credential=False)
            return name, token.origin
        asked.append(f"  {token.origin}: the hub does not accept it")
    raise NotPossibleYet(MISSING.format(asked="\n".join(asked)))


def whoami(token: str | None) -> str | None:
    """Return the account of a token; None means the token saved on this machine.

    Returns None where there is none or the hub refuses it. Raises NotPossibleYet where the hub does not answer.
    """
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled

    from agent.errors import NotPossibleYet

    api = HfApi()
    try:
        return str(api.whoami(token)["name"])
    except LocalTokenNotFoundError:
        return None
    except HfHubHTTPError as error:
        if error.response.status_code == 401:
            return None
        raise NotPossibleYet(
            f"the hub at {api.endpoint} answered {error.response.status_code}: try `rolecall login` again later"
        ) from None
    except OfflineModeIsEnabled:
        raise NotPossibleYet("HF_HUB_OFFLINE is set, so the hub is not asked for anything: unset it first") from None
    except httpx.HTTPError as error:
        raise NotPossibleYet(
            f"the hub at {api.endpoint} cannot be reached ({type(error).__name__}): try again later"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise NotPossibleYet(f"what answers at {api.endpoint} is no hub: set HF_ENDPOINT to one, or unset it") from None


def tokens(config: Path, asked: list[str]) -> Iterator[Found]:
    """Yield each token found, and append to `asked` what the other sources lack. Raises SettingsError."""
    from agent.config.loading import read_given
    from agent.config.secrets import Secrets

    given = read_given(config if config != CONFIG or config.is_file() else None)
    sources = tuple(dict.fromkeys((*given.secrets.sources, "infisical")))
    settings = given.secrets.model_copy(update={"sources": sources})
    for reading in Secrets().read_each(settings, given.local, {*given.references, *TOKEN_NAMES}):
        values = reading.values or {}
        found = [values[name] for name in TOKEN_NAMES if name in values and values[name].value]
        yield from found
        if not found:
            lacking = reading.problem.reason if reading.problem else f"has neither {' nor '.join(TOKEN_NAMES)}"
            asked.append(f"  {reading.source}: {lacking}")


def show_cache(console: Console) -> None:
    """List the models and data sets cached on this machine."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repositories = scan_cache_dir().repos
    except CacheNotFound:
        repositories = frozenset()
    if not repositories:
        console.print("nothing is cached yet")
        return
    table = Table("cached", "kind", "revisions", "size")
    for each in sorted(repositories, key=lambda repository: (repository.repo_type, repository.repo_id)):
        table.add_row(escape(each.repo_id), each.repo_type, str(len(each.revisions)), decimal(each.size_on_disk))
    console.print(table)
