"""Where settings come from: `config/agent.toml`, overridden by the sources of secrets, `.env` and the environment.

A setting `[learning] window` is `ROLECALL_LEARNING__WINDOW` there; dashes become underscores, and a list is written as
JSON. A value `secret:NAME` stands for the secret of that name. `rules` and `roles` are relative to the settings file,
`data` to the working directory. Every fault is reported at once, with the setting's name and its source.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agent.config.secrets import Found, Secrets, SecretsSettings, SourceFailed, referred
from agent.config.secrets.local import Variables, dotenv
from agent.config.secrets.source import PREFIX
from agent.config.setting_tree import SettingTree, from_text
from agent.config.settings import Settings
from agent.errors import Fault, SettingsError
from connectors.registry import CONNECTORS

DEFAULT_FILE = Path("config/agent.toml")
SECRETS_PREFIX = PREFIX + "SECRETS__"

PLAIN_NAMES = {"API_KEY": ("api", "key"), "MODEL_PATH": ("api", "models")}
"""Variables of the SetFit Docker API, which the model API is a drop-in for; names with our prefix override them."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the operator wrote on this machine, before any other source of secrets is asked."""

    table: Mapping[str, Any] = field(repr=False)
    local: tuple[Variables, Variables]
    secrets: SecretsSettings
    references: frozenset[str]
    """Names of the secrets that values such as `secret:NAME` refer to."""


def load(
    file: Path = DEFAULT_FILE,
    environ: Mapping[str, str] | None = None,
    dotenv_file: Path | None = Path(".env"),
    overrides: Mapping[str, Any] | None = None,
    secrets: Secrets | None = None,
) -> Settings:
    """Read all sources and validate them together. `overrides` holds dotted names, as given on the command line.

    With the same `secrets`, loading again lives through outages of a source. Raises SettingsError with every fault.
    """
    given = read_given(file, environ, dotenv_file)
    try:
        found = (secrets or Secrets()).read(given.secrets, given.local, given.references | PLAIN_NAMES.keys())
    except SourceFailed as error:
        raise SettingsError([Fault("secrets", error.source, error.reason)]) from None
    tree = SettingTree()
    tree.add_table(given.table, str(file))
    for plain, path in PLAIN_NAMES.items():
        if plain in found:
            tree.put(path, found[plain].value, found[plain].origin)
    tree.add_names(found)
    for name, value in (overrides or {}).items():
        tree.put(name.split("."), value, "command line")
    tree.resolve(found)
    return _validate(tree, file.parent)


def read_given(
    file: Path | None = DEFAULT_FILE,
    environ: Mapping[str, str] | None = None,
    dotenv_file: Path | None = Path(".env"),
) -> Given:
    """Read the settings file, if there is to be one, the environment and `.env`. Raises SettingsError, SourceFailed."""
    variables = os.environ if environ is None else environ
    paths = frozenset(name.upper() for name in _field_names() if name.endswith("_file"))
    local = (
        Variables("environment", {name: value for name, value in variables.items() if value}, paths),
        dotenv(dotenv_file, paths),
    )
    table = _from_file(file) if file else {}
    tree = SettingTree()
    tree.add_table({"secrets": table.get("secrets", {})}, str(file))
    written: list[Any] = [table]
    for source in reversed(local):
        mine = {key: value for key, value in source.values.items() if key.startswith(PREFIX)}
        written += map(from_text, mine.values())
        chosen = {
            key: Found(value, f"{source.name}, {key}") for key, value in mine.items() if key.startswith(SECRETS_PREFIX)
        }
        tree.add_names(chosen)
    try:
        settings = SecretsSettings.model_validate(tree.values.get("secrets", {}))
    except ValidationError as error:
        raise SettingsError(_faults(error, tree, "secrets.")) from None
    return Given(table, local, settings, frozenset(referred(written)))


def _field_names() -> Iterator[str]:
    for section in (Settings, *(f.annotation for f in Settings.model_fields.values())):
        yield from getattr(section, "model_fields", ())
    for registered in CONNECTORS.values():
        yield from (each.name for each in fields(registered.settings))


def _from_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError([Fault("config", str(file), "there is no such file (see --config)")]) from None
    except (OSError, ValueError, RecursionError) as error:  # not UTF-8, not TOML, endless numbers or nesting
        raise SettingsError([Fault("config", str(file), str(error))]) from None


def _validate(tree: SettingTree, base: Path) -> Settings:
    faults: list[Fault] = []
    connectors: dict[str, Any] = {}
    for source, given in dict(tree.values.pop("connectors", {})).items():
        name = f"connectors.{source}"
        if source not in CONNECTORS:
            faults.append(Fault(name, tree.origin_of(name), f"no such connector; there is {', '.join(CONNECTORS)}"))
            continue
        try:
            connectors[source] = TypeAdapter(CONNECTORS[source].settings).validate_python(given)
        except ValidationError as error:
            faults += _faults(error, tree, f"{name}.")
    settings = None
    try:
        settings = Settings.model_validate(tree.values)
    except ValidationError as error:
        faults += _faults(error, tree)
    if faults or settings is None:
        raise SettingsError(faults)
    return settings.model_copy(
        update={
            "connectors": connectors,
            "rules": base / settings.rules,
            "roles": base / settings.roles,
        }
    )


def _faults(error: ValidationError, tree: SettingTree, prefix: str = "") -> list[Fault]:
    faults = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        name = prefix + ".".join(str(part) for part in item["loc"])
        faults.append(Fault(name, tree.origin_of(name), item["msg"].removeprefix("Value error, ")))
    return faults
