"""Queues in the settings: by the connector whose they are, as in `groups` of roles.toml."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError


def _by_connector(value: object) -> object:
    """Return queues by their connector; a single one may stand without brackets."""
    if not isinstance(value, dict):
        raise ValueError(  # noqa: TRY004 - what pydantic makes a fault of
            'say of which connector: { NAME = ["queue"] }'
        )
    found = {name: (queues,) if isinstance(queues, str) else queues for name, queues in value.items()}
    for name, queues in found.items():
        if not isinstance(queues, list | tuple) or not queues or not all(isinstance(q, str) and q for q in queues):
            raise ValueError(f'{name} needs its queues: {name} = ["queue"]')
    return {name: tuple(queues) for name, queues in found.items()}


def _all_or_some(value: object) -> object:
    if isinstance(value, dict):
        return _by_connector(value)
    try:
        return TypeAdapter(bool).validate_python(value)
    except ValidationError:
        raise ValueError('should be true, false, or some queues: { NAME = ["queue"] }') from None


Queues = Annotated[dict[str, tuple[str, ...]], BeforeValidator(_by_connector)]
AllOrSome = Annotated[bool | dict[str, tuple[str, ...]], BeforeValidator(_all_or_some)]
Words = tuple[Annotated[str, Field(min_length=1)], ...]
