"""Rolecall's own errors, split by what the person at the terminal does next.

The tree::

    RolecallError              one line or more for the person at the terminal, exit code 2
    ├── ConfigurationError     fix the files and variables that it names, all faults at once
    │   ├── SettingsError      config/agent.toml, the environment, .env and other sources of secrets
    │   ├── RolesError         config/roles.toml            (agent.config.roles_file)
    │   └── RulesError         config/rules.toml            (agent.config.rules_file)
    ├── SourceFailed           a source of secrets cannot be read   (agent.config.secrets.source)
    ├── DataDirectoryBusy      another server already works on this data directory
    ├── BrokenPointer          activate a model anew        (agent.serving.active)
    ├── ArtefactError          a model's files cannot be used       (agent.serving.artefact)
    ├── ModelNameError         no such name, or it is taken (agent.model_api.named_models)
    ├── QueueFull, KeyReused   a training job is not taken  (agent.store.jobs)
    ├── BadInput               fix the named file or argument
    └── NotPossibleYet         something must come first, and the message says what

Faults at the border to a ticketing system have a tree of their own, `connectors.errors`. `agent.cli.failures` maps both
trees, and what the database and the operating system raise, to a message and an exit code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class RolecallError(Exception):
    """A fault that a person can fix; the message says how."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in what an operator wrote, and where.

    `source` is a file or, in words, another place; `line` counts from 1 and is None outside files; `setting` is the
    dotted name of the setting, "" where the message names it.
    """

    source: str
    message: str
    line: int | None = None
    setting: str = ""

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return ": ".join(part for part in (place, self.setting, self.message) if part)


class ConfigurationError(RolecallError):
    """What the operator wrote cannot be used; `faults` holds everything that is wrong, by source and line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.source, fault.line or 0)))
        super().__init__("\n".join(map(str, self.faults)))


class SettingsError(ConfigurationError):
    """One or more settings are faulty."""


class DataDirectoryBusy(RolecallError):
    """Two servers on one data directory would comment twice."""


class BadInput(RolecallError):
    """A file or an argument cannot be used as it is."""


class NotPossibleYet(RolecallError):
    """A step that needs another one first, such as predicting before anything was trained."""
