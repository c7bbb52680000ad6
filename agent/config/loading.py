"""Load settings from `config/agent.toml`, overridden by the sources of secrets, `.env` and the environment.

A setting `[learning] window` is `ROLECALL_LEARNING__WINDOW` there; dashes become underscores, and a list is written as
JSON. A value `secret:NAME` stands for the secret of that name. `rules`, `roles` and `texts` are relative to the
settings file, also where that is a link and they lie beside the file that it leads to; `data` is relative to the
working directory. Every fault is reported at once, with its file and line or the variable's name.

`[connectors.NAME]` is one table for each connected system, of the kind given in the table. NAME is in the hook's
address and in ticket keys, and `kind` defaults to it. In environment variables its dashes become underscores, so a name
may hold no underscore: otherwise two names could share a variable.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agent.config.in_words import meant
from agent.config.manifests import FOLDER, all_kinds, beside, document_of
from agent.config.secrets import Found, Secrets, SecretsSettings, SourceFailed, referred
from agent.config.secrets.source import PREFIX, Variables, dotenv
from agent.config.setting_tree import SettingTree, from_text
from agent.config.settings import ConnectorSettings, Settings
from agent.config.toml_file import TomlFile, read
from agent.errors import Fault, SettingsError
from connectors.registry import CONNECTORS, find

DEFAULT_FILE = Path("config/agent.toml")
SECRETS_PREFIX = PREFIX + "SECRETS__"

PLAIN_NAMES = {"API_KEY": ("api", "key"), "MODEL_PATH": ("api", "models")}
"""Variables of the SetFit Docker API, which the model API is a drop-in for; names with our prefix override them."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is configured on this machine, before any other source of secrets is read."""

    file: TomlFile | None
    local: tuple[Variables, Variables]
    secrets: SecretsSettings
    references: frozenset[str]
    """Names of the secrets that values such as `secret:NAME` refer to."""
    faults: tuple[Fault, ...] = ()
    """Those of `[secrets]`; with any, `secrets` names no source."""


def load(
    file: Path = DEFAULT_FILE,
    environ: Mapping[str, str] | None = None,
    dotenv_file: Path | None = Path(".env"),
    overrides: Mapping[str, Any] | None = None,
    secrets: Secrets | None = None,
) -> Settings:
    """Read all sources and validate them together. `overrides` holds dotted names, as given on the command line.

    Reloading with the same `secrets` survives outages of a source. Raises SettingsError with every fault.
    """
    given = _given(file, environ, dotenv_file)
    try:
        found = (secrets or Secrets()).read(given.secrets, given.local, given.references | PLAIN_NAMES.keys())
    except SourceFailed as error:
        raise SettingsError([Fault(error.source, error.reason, setting="secrets")]) from None
    tree = SettingTree(given.file)
    for plain, path in PLAIN_NAMES.items():
        if plain in found:
            tree.put(path, found[plain].value, found[plain].origin)
    tree.add_names(found)
    for name, value in (overrides or {}).items():
        tree.put(name.split("."), value, "command line")
    tree.values.pop("secrets", None)
    if not given.faults:
        tree.resolve(found)
    dates = {name: secret.expires for name, secret in found.items() if secret.expires is not None}
    settings = _validate(tree, given, file)
    return settings.model_copy(update={"secrets": settings.secrets.expiring(dates)})


def read_given(
    file: Path | None = DEFAULT_FILE,
    environ: Mapping[str, str] | None = None,
    dotenv_file: Path | None = Path(".env"),
) -> Given:
    """Read the settings file (unless None), the environment and `.env`. Raises SettingsError, SourceFailed."""
    given = _given(file, environ, dotenv_file)
    if given.faults:
        raise SettingsError(given.faults)
    return given


def _given(file: Path | None, environ: Mapping[str, str] | None, dotenv_file: Path | None) -> Given:
    variables = os.environ if environ is None else environ
    paths = frozenset(name.upper() for name in _field_names() if name.endswith("_file"))
    local = (
        Variables("environment", {name: value for name, value in variables.items() if value}, paths),
        dotenv(dotenv_file, paths),
    )
    toml = read(file, SettingsError, "--config") if file else None
    tree = SettingTree(toml)
    written: list[Any] = [toml.document if toml else {}]
    for source in reversed(local):
        mine = {key: value for key, value in source.values.items() if key.startswith(PREFIX)}
        written += map(from_text, mine.values())
        chosen = {
            key: Found(value, f"{source.name}, {key}") for key, value in mine.items() if key.startswith(SECRETS_PREFIX)
        }
        tree.add_names(chosen)
    references = frozenset(referred(written))
    try:
        settings = SecretsSettings.model_validate(tree.values.get("secrets", {}))
    except ValidationError as error:
        faults = tree.faults_of(error, SecretsSettings, ("secrets",))
        return Given(toml, local, SecretsSettings(sources=()), references, tuple(faults))
    return Given(toml, local, settings, references)


def _field_names() -> Iterator[str]:
    for section in (Settings, *(f.annotation for f in Settings.model_fields.values())):
        yield from getattr(section, "model_fields", ())
    for registered in CONNECTORS.values():
        yield from (each.name for each in fields(registered.settings))


def _validate(tree: SettingTree, given: Given, file: Path) -> Settings:
    faults = [*given.faults, *tree.faults]
    asked = not given.faults
    connectors: dict[str, ConnectorSettings] = {}
    tables = tree.values.pop("connectors", {})
    unfinished = set(tables) if isinstance(tables, dict) else set()
    try:
        connectors = validated(tables, tree, beside(file, FOLDER), asked=asked)
    except SettingsError as error:
        faults += error.faults
    settings = None
    try:
        settings = Settings.model_validate(tree.values)
    except ValidationError as error:
        faults += tree.faults_of(error, Settings, asked=asked)
    if settings is not None:
        faults += _unknown_connectors(settings, connectors.keys() | unfinished, tree)
    if faults or settings is None:
        raise SettingsError(faults)
    return settings.model_copy(
        update={
            "secrets": given.secrets,
            "connectors": connectors,
            "rules": beside(file, settings.rules),
            "roles": beside(file, settings.roles),
            "texts": beside(file, settings.texts),
        }
    )


def _unknown_connectors(settings: Settings, connectors: Collection[str], tree: SettingTree) -> Iterator[Fault]:
    """Yield where [triage] names queues of a connector that is not there."""
    for place, queues in settings.triage.queues.items():
        for name in queues.keys() - set(connectors):
            there = f"; there are {', '.join(sorted(connectors))}" if connectors else ""
            yield tree.fault(("triage", *place, name), f"no connector is called {name}{there}")


NAME = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
LONGEST_NAME = 40


def is_name(name: str) -> bool:
    """Return whether this is a valid name for a connector."""
    return len(name) <= LONGEST_NAME and re.fullmatch(NAME, name) is not None


def validated(
    tables: Any, tree: SettingTree, folder: Path | None = None, *, asked: bool = True
) -> dict[str, ConnectorSettings]:
    """Return the settings of every connector. Raises SettingsError with the faults of all of them.

    `folder` holds the operator's manifests. With `asked` False the sources of secrets could not be read, and no setting
    counts as missing.
    """
    if not isinstance(tables, dict):
        raise SettingsError([tree.fault(("connectors",), "should be tables, one [connectors.NAME] for each")])
    connectors: dict[str, ConnectorSettings] = {}
    faults: list[Fault] = []
    for name, table in tables.items():
        try:
            connectors[name] = _validated(name, table, tree, folder, asked)
        except SettingsError as error:
            faults += error.faults
    if faults:
        raise SettingsError(faults)
    return connectors


def _validated(name: str, table: Any, tree: SettingTree, folder: Path | None, asked: bool) -> ConnectorSettings:
    at = ("connectors", name)
    if not is_name(name):
        message = f"a name has up to {LONGEST_NAME} letters a-z and digits, begins with a letter, and may hold single -"
        raise SettingsError([tree.fault(at, message)])
    if not isinstance(table, dict):
        raise SettingsError([tree.fault(at, "should be a table")])
    kind = table.get("kind", name)
    document = document_of(kind, folder) if isinstance(kind, str) else None
    chosen = find(kind, document) if isinstance(kind, str) else None
    if chosen is None:
        known = all_kinds(folder)
        message = f"there is no kind {kind!r}{meant(kind, known)}; kind can be {', '.join(known)}"
        raise SettingsError([tree.fault((*at, "kind") if "kind" in table else at, message)])
    given = {key: value for key, value in table.items() if key != "kind"}
    try:
        return ConnectorSettings(kind, TypeAdapter(chosen.settings).validate_python(given), document)
    except ValidationError as error:
        raise SettingsError(list(tree.faults_of(error, chosen.settings, at, asked=asked))) from None
