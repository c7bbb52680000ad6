"""JSON from strangers: one meaning or none.

Parsers disagree on duplicate keys, NaN, depth, lone surrogates and numbers beyond 64 bits; what this module lets
through reads the same everywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeVar

from jiter import from_json
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from connectors.errors import MalformedPayload

Model = TypeVar("Model", bound="Wire")


class Wire(BaseModel):
    """A JSON object as a system sends it: strict types, unknown fields ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("contains the character NUL")
    return text


def _utc(value: datetime) -> datetime | None:
    """Return the time in UTC; a time without a zone is unknown, not a guess."""
    try:
        return value.astimezone(UTC) if value.tzinfo else None
    except OverflowError:
        raise ValueError("lies outside the calendar") from None


Text = Annotated[str, AfterValidator(_without_nul)]
Id = Annotated[int, Field(ge=1, lt=2**63)]
Time = Annotated[datetime, AfterValidator(_utc)]


def decode(model: type[Model], body: bytes) -> Model:
    """Read a JSON document into a wire model. Raises MalformedPayload with the reason in one line."""
    try:
        from_json(body, allow_inf_nan=False, catch_duplicate_keys=True)
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "document"
        raise MalformedPayload(f"{place}: {first['msg']}") from None
    except ValueError as error:
        raise MalformedPayload(f"not JSON: {str(error).splitlines()[0]}") from None
