"""Every listed connector has settings, a name of its own, and the contract's tests."""

from __future__ import annotations

import dataclasses
import importlib

import pytest

from connectors.registry import CONNECTORS
from tests.connectors.contract import ConnectorContract


@pytest.mark.parametrize("kind", CONNECTORS)
def test_every_connector_inherits_the_contract(kind: str) -> None:
    module = importlib.import_module(f"tests.connectors.test_{kind.replace('-', '_')}")
    contracts = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, ConnectorContract) and value is not ConnectorContract
    ]
    assert [contract.kind for contract in contracts] == [kind]


@pytest.mark.parametrize("kind", CONNECTORS)
def test_every_connector_has_a_dataclass_of_settings(kind: str) -> None:
    assert dataclasses.is_dataclass(CONNECTORS[kind].settings)
