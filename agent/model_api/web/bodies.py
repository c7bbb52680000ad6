"""Read a request's body into what is documented, and say in a sentence what is wrong with it.

Decoding stops at the first fault and builds nothing that is not asked for: 16 MB of it take 0.3 s and 0.3 GB at worst,
where a JSON parser that knows no types makes gigabytes of objects. Large bodies are decoded one at a time, in a thread.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeVar, get_args

import msgspec
from anyio import CapacityLimiter, to_thread
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request

from agent.fitting.job import Trainer
from agent.model_api.bounds import SMALL_BODY

NAMES = "letters, digits, dots, dashes and underscores, at most 64, the first a letter or digit"
WRITTEN = {
    "model_name": f"a name is expected: {NAMES}",
    "version": "the name of a version is expected",
    "trainer": f"one of {', '.join(get_args(Trainer))} is expected",
}
"""What is expected where a text has to be written in a certain way, by the name of its field."""

KINDS = {
    "object": "an object", "array": "a list", "str": "a text", "int": "a whole number", "float": "a number",
    "bool": "true or false", "null": "null",
}  # fmt: skip
UNITS = {"array": ("entry", "entries"), "str": ("character", "characters")}

_PLACE = re.compile(r"(?s)(.*?)(?: - at `\$(.*)`)?")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_KIND = re.compile(r"Expected `([a-z |]+)`, got `([a-z]+)`")
_LENGTH = re.compile(r"Expected `(array|str)` of length (<=|>=) (\d+)")
_BOUND = re.compile(r"Expected `(?:int|float)` (<=|>=|<|>) ([\d.e+-]+)")
_BOUNDS = {"<=": "at most {} is possible", ">=": "at least {} is needed", "<": "less than {}", ">": "more than {}"}

T = TypeVar("T", bound=msgspec.Struct)

_decoding = cache(lambda: CapacityLimiter(1))


async def read(request: Request, kind: type[T]) -> T:
    """Return the body of a request. Raises RequestValidationError."""
    raw = await request.body()
    if len(raw) <= SMALL_BODY:
        return decode(raw, kind)
    return await to_thread.run_sync(decode, raw, kind, limiter=_decoding())


def decode(raw: bytes, kind: type[T]) -> T:
    """Return what is written in a body. Raises RequestValidationError."""
    try:
        value: T = _decoder(kind).decode(raw.removeprefix(BOM_UTF8))
    except msgspec.ValidationError as error:
        place, sentence = explained(str(error))
        raise faulty(place, sentence) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise faulty((), "the body is no JSON that can be read") from None
    return value


@cache
def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(kind)


def faulty(place: tuple[str | int, ...], sentence: str) -> RequestValidationError:
    """Return the error for a fault at a place in the body."""
    return RequestValidationError([{"loc": ("body", *place), "msg": sentence, "type": "value_error"}])


def explained(message: str) -> tuple[tuple[str | int, ...], str]:
    """Return the place and a sentence for a fault that the decoder reports, without what was found there."""
    found = _PLACE.fullmatch(message)
    what, path = (found[1], found[2] or "") if found else (message, "")
    place = tuple(name or int(index) for name, index in _STEP.findall(path))
    if missing := _MISSING.fullmatch(what):
        return (*place, missing[1]), f"`{missing[1]}` is missing"
    if other := _KIND.fullmatch(what):
        expected = " or ".join(KINDS.get(kind, kind) for kind in other[1].split(" | "))
        return place, f"{expected} is expected, not {KINDS.get(other[2], other[2])}"
    if length := _LENGTH.fullmatch(what):
        one, several = UNITS[length[1]]
        counted = f"1 {one} is" if length[3] == "1" else f"{length[3]} {several} are"
        return place, f"at {'most' if length[2] == '<=' else 'least'} {counted} expected"
    if bound := _BOUND.fullmatch(what):
        return place, _BOUNDS[bound[1]].format(bound[2])
    last = next((step for step in reversed(place) if isinstance(step, str)), "")
    return place, WRITTEN.get(last, "this is not what the documentation at /docs describes")


def documented(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the description of a request's body for the OpenAPI document, whole in itself."""
    (schema,), parts = msgspec.json.schema_components([kind], ref_template="{name}")
    whole = dict(_resolved(schema, parts))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": whole}}}}


def _resolved(schema: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in (parts[schema["$ref"]] if "$ref" in schema else schema).items():
        if isinstance(value, Mapping) and name != "default":
            yield name, dict(_resolved(value, parts))
        elif isinstance(value, list):
            yield name, [dict(_resolved(each, parts)) if isinstance(each, Mapping) else each for each in value]
        else:
            yield name, value
