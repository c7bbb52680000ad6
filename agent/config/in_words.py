"""Word the faults that pydantic finds for the author of a file: keys, tables and lists, not models and types."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel

KeyPath = tuple[str | int, ...]
"""Where something stands in a document, as in pydantic's `loc`: ("rule", 1, "keywords", 0)."""


UNKNOWN = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
MISSING = "missing"
WORDS = {
    **dict.fromkeys(("model_type", "dataclass_type", "dict_type", "mapping_type"), "should be a table"),
    **dict.fromkeys(("list_type", "tuple_type", "set_type"), "should be a list"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "should be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "should be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "should be true or false"),
    **dict.fromkeys(("string_type", "string_sub_type", "string_unicode"), "should be a text"),
    **dict.fromkeys(("time_type", "time_parsing", "time_delta_parsing"), 'should be a time of day, such as "02:30"'),
    "path_type": "should be the path of a file",
}
SHARES = ("less_than", "less_than_equal")
ENUM = re.compile(r"<\w+\.\w+: ('[^']*')>")
SUBJECT = re.compile(r"^(?:Input|Value|Tuple|List|Set|Dictionary|String|Data|Mapping) (?=should )")


def in_words(problem: Mapping[str, Any], known: Collection[str] = ()) -> str:
    """Return what is wrong in one of a ValidationError's `errors()`; `known` are the keys of the table it is in.

    Never repeats a value: it may be a secret.
    """
    kind, place = problem["type"], problem["loc"]
    if kind in UNKNOWN:
        return unknown(str(place[-1]), known, a_table=isinstance(problem.get("input"), dict))
    if kind == MISSING:
        last = place[-1] if place else ""
        return f"number {last + 1} of the list is missing" if isinstance(last, int) else f"key {last!r} is missing"
    if kind.startswith("union_tag"):
        about = problem["ctx"]
        expected = f"should be one of {about['expected_tags']}" if "expected_tags" in about else "is missing"
        return f"key {about['discriminator']} {expected}"
    if kind in SHARES and str(problem["msg"]).endswith(" 1") and isinstance(given := problem.get("input"), int | float):
        return f"should be a share, at most 1{': percents are written as 0.9' if given <= 100 else ''}"
    return WORDS.get(kind) or ENUM.sub(r"\1", SUBJECT.sub("", str(problem["msg"]).removeprefix("Value error, ")))


def unknown(key: str, known: Collection[str], *, a_table: bool = False) -> str:
    """Return the message for an unknown key or table, with the most similar known one, or all of them."""
    close = difflib.get_close_matches(key, known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else f" (known: {', '.join(known)})" if known else ""
    return f"unknown {'table' if a_table else 'key'} {key!r}{hint}"


def meant(name: object, names: Collection[str]) -> str:
    """Return, behind a blank, which name of many somebody may have meant; "" where none is alike."""
    spelt = re.sub(r"[\s_]+", "-", str(name).casefold())
    close = difflib.get_close_matches(spelt, names, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def keys_at(model: Any, path: KeyPath) -> list[str]:
    """Return the keys that the table at this path may have; none if the table is unknown."""
    for part in path:
        model = _fields(model).get(str(part))
    return list(_fields(model))


def _fields(model: Any) -> dict[str, Any]:
    """Return the type of each key, by its name in the file."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        return {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    if isinstance(model, type) and dataclasses.is_dataclass(model):
        return {field.name: field.type for field in dataclasses.fields(model)}
    return {}
