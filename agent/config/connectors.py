"""`[connectors.NAME]`: one settings table for each connected system, of the kind given in the table.

NAME is in the hook's address and in ticket keys, and `kind` defaults to it. In environment variables its dashes become
underscores, so a name may hold no underscore: otherwise two names could share a variable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agent.config.setting_tree import SettingTree
from agent.errors import Fault, SettingsError
from connectors.base import Connector
from connectors.registry import CONNECTORS

NAME = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class ConnectorSettings:
    """The settings of one connector; `settings` is of the type that its kind requires."""

    kind: str
    settings: Any

    def connect(self, name: str) -> Connector:
        """Return the connector of this name. Raises OSError where a certificate file cannot be used."""
        return CONNECTORS[self.kind].connect(name, self.settings)


def is_name(name: str) -> bool:
    """Return whether this is a valid name for a connector."""
    return len(name) <= LONGEST_NAME and re.fullmatch(NAME, name) is not None


def validated(tables: Any, tree: SettingTree, *, asked: bool = True) -> dict[str, ConnectorSettings]:
    """Return the settings of every connector. Raises SettingsError with the faults of all of them.

    With `asked` False the sources of secrets could not be read, and no setting counts as missing.
    """
    if not isinstance(tables, dict):
        raise SettingsError([tree.fault(("connectors",), "should be tables, one [connectors.NAME] for each")])
    connectors: dict[str, ConnectorSettings] = {}
    faults: list[Fault] = []
    for name, table in tables.items():
        try:
            connectors[name] = _validated(name, table, tree, asked)
        except SettingsError as error:
            faults += error.faults
    if faults:
        raise SettingsError(faults)
    return connectors


def _validated(name: str, table: Any, tree: SettingTree, asked: bool) -> ConnectorSettings:
    at = ("connectors", name)
    if not is_name(name):
        message = f"a name has up to {LONGEST_NAME} letters a-z and digits, begins with a letter, and may hold single -"
        raise SettingsError([tree.fault(at, message)])
    if not isinstance(table, dict):
        raise SettingsError([tree.fault(at, "should be a table")])
    kind = table.get("kind", name)
    if not isinstance(kind, str) or kind not in CONNECTORS:
        message = f"there is no kind {kind!r}; kind can be {', '.join(sorted(CONNECTORS))}"
        raise SettingsError([tree.fault((*at, "kind") if "kind" in table else at, message)])
    given = {key: value for key, value in table.items() if key != "kind"}
    settings_type = CONNECTORS[kind].settings
    try:
        return ConnectorSettings(kind, TypeAdapter(settings_type).validate_python(given))
    except ValidationError as error:
        raise SettingsError(list(tree.faults_of(error, settings_type, at, asked=asked))) from None
