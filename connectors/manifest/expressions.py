"""Expressions of a manifest: JMESPath, compiled when the manifest is read, and evaluated in bounded time.

JMESPath reads values and knows no loops, calls or attributes, so that an expression can run no code. One function is
added to its own: `split(text, separator)`, for ids that stand in an address alone. It can still make a list longer
with every step (`[@, @][] | [@, @][] | ...`), and a pattern of lists in lists costs time: an expression has a greatest
length and depth, may multiply what it reads only so often, and evaluation ends after so many steps.
Source: https://jmespath.org/specification.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jmespath import compile as compile_jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from jmespath.visitor import Options, TreeInterpreter

LONGEST = 1_000
"""Characters."""
DEEPEST = 25
"""Parts of an expression within each other."""
MOST_COPIES = 100
"""How often an expression may repeat what it reads: the product of the sizes of all its `[a, b]` and `{a: b}`."""
MOST_STEPS = 200_000
"""Parts evaluated and elements gone through, in one evaluation: well below a second."""

LONGEST_SPLIT = 10_000
"""Characters of a text that is split: no address is longer."""

_SELECTS = ("multi_select_list", "multi_select_dict")
_ACCESS = ("subexpression", "index_expression")


class TooCostly(Exception):
    """An evaluation took more steps than it may."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression."""

    text: str
    parsed: Any = field(repr=False, compare=False)

    def search(self, document: Any) -> Any:
        """Return the value, None where there is none, or where the document has other types than the expression needs.

        Raises TooCostly.
        """
        try:
            return _Bounded().visit(self.parsed, document)
        except (JMESPathError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError):
            return None

    def holds(self, document: Any) -> bool:
        """Return whether the value is none of: nothing, false, an empty text, list or table. Raises TooCostly."""
        value = self.search(document)
        return value is not None and value is not False and value not in ("", [], {})


class _Functions(Functions):  # type: ignore[misc] # the library has no types
    """JMESPath's own, and `split`."""

    @signature({"types": ["string"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_split(self, text: str, separator: str) -> list[str]:
        if len(text) > LONGEST_SPLIT:
            raise ValueError("too long to be split")
        return text.split(separator)


_FUNCTIONS = frozenset(_Functions.FUNCTION_TABLE)
_OPTIONS = Options(custom_functions=_Functions())


class _Bounded(TreeInterpreter):  # type: ignore[misc] # the library has no types
    """Counts its steps."""

    def __init__(self) -> None:
        super().__init__(_OPTIONS)
        self.left = MOST_STEPS

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        """Evaluate one part."""
        result = super().visit(node, *args, **kwargs)
        self.left -= 1 + (len(result) if isinstance(result, list | dict) else 0)
        if self.left < 0:
            raise TooCostly(f"an expression took more than {MOST_STEPS} steps")
        return result


def compiled(text: object) -> Expression:
    """Compile an expression. Raises ValueError that says what is wrong with it."""
    if isinstance(text, Expression):
        return text
    if not isinstance(text, str):
        raise ValueError("should be a text: a JMESPath expression")  # noqa: TRY004 - pydantic reports ValueError
    if len(text) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    try:
        parsed = compile_jmespath(text).parsed
    except (JMESPathError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"is no JMESPath: {reason}") from None
    _judge(parsed)
    return Expression(text, parsed)


def _judge(parsed: Any) -> None:
    copies, level, depth = 1, [parsed], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ValueError(f"has more than {DEEPEST} parts within each other")
        for node in level:
            children = node["children"]
            if node["type"] in _SELECTS:
                copies *= max(len(children), 1)
            if node["type"] in _ACCESS and children[0]["type"] == "not_expression":
                raise ValueError("!a.b means (!a).b: write a.b == null, or !(a.b)")
            if node["type"] == "function_expression" and node["value"] not in _FUNCTIONS:
                raise ValueError(f"there is no function {node['value']}()")
        level = [child for node in level for child in node["children"] if isinstance(child, dict)]
    if copies > MOST_COPIES:
        raise ValueError(f"repeats what it reads more than {MOST_COPIES} times")
