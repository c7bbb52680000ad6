"""Expressions of manifests: what they may not say, and that none takes long on any JSON."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import MalformedPayload
from connectors.events import Delivery
from connectors.manifest.catalogue import examples
from connectors.manifest.expressions import DEEPEST, LONGEST, LONGEST_SPLIT, MOST_COPIES, TooCostly, compiled
from connectors.manifest.mapping import to_message, to_ticket
from tests.connectors.contract import check
from tests.connectors.systems.installed import NEW, SYSTEMS, kind, listening, raw


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.b[", "no JMESPath"),
        ("a + b", "no JMESPath"),
        ("", "no JMESPath"),
        (7, "should be a text"),
        ("!a.b", "means"),
        ("x && !a.b == c", "means"),
        ("shell('rm')", "no function"),
        ("a" * (LONGEST + 1), "longer"),
        (
            ".".join("a" * 3) + "".join(f" || not_null({'not_null(' * DEEPEST}a{')' * DEEPEST})" for _ in range(1)),
            "within",
        ),
        ("|".join(["[@,@][]"] * 10), "repeats"),
        ("[" + ",".join("@" * (MOST_COPIES + 1)) + "]", "repeats"),
    ],
)
def test_an_expression_that_cannot_be_meant_or_could_take_long_is_refused(text: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        compiled(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b", None),
        ("contains(b, 'x')", None),
        ("abs('x')", None),
        ("a[::0]", None),
        ("to_number('inf') | ceil(@)", None),
        ("split(a, '/')", None),
        ("split('x', '')", None),
        ("split(join('', ['https://x/users/33', '/7']), '/')[-1]", "7"),
        ("!(a.b)", True),
        ("a", [1]),
    ],
)
def test_what_is_not_there_or_of_another_type_is_unknown(text: str, value: object) -> None:
    assert compiled(text).search({"a": [1]}) == value


def test_nothing_false_and_what_is_empty_do_not_hold_and_zero_does() -> None:
    assert [compiled("a").holds({"a": value}) for value in (None, False, "", [], {})] == [False] * 5
    assert [compiled("a").holds({"a": value}) for value in (0, 1, "0", [0], {"": None})] == [True] * 5


def test_a_text_that_is_too_long_for_an_address_is_not_split() -> None:
    longest, expression = "a/" * (LONGEST_SPLIT // 2), compiled("split(@, '/')[-1]")
    assert (expression.search(longest), expression.search(longest + "a")) == ("", None)


def test_the_longest_evaluation_ends_within_a_second() -> None:
    expression = compiled("[@,@][]|[@,@][]|[@,@][]|[@,@][]|[@,@][]|[@,@][].a[].b[].c")
    began = time.process_time()
    with pytest.raises(TooCostly):
        expression.search([{"a": [{"b": [{"c": [1]}] * 50}] * 50}] * 50)
    assert time.process_time() - began < 2


KEYS = sorted(
    {
        word
        for name in SYSTEMS
        for example in examples(name)
        for word in ("id", *example.body, *(k for v in example.body.values() if isinstance(v, dict) for k in v))
    }
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
LEAVES |= st.sampled_from(["created", "closed", "issue", "note", "opened", "2026-11-02T07:14:03Z", "7"])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=8),
    max_leaves=25,
)


@settings(max_examples=60)
@given(document=JSON, segment=st.sampled_from(["", "created", "closed", "status", "commented"]))
def test_any_json_becomes_events_or_is_malformed_and_as_an_answer_a_ticket_or_malformed(
    document: Any, segment: str
) -> None:
    for name in SYSTEMS:
        connector = listening(name, NEW)
        try:
            events = connector.parse(Delivery({"x-github-event": "issues"}, raw(document), segment))
        except MalformedPayload:
            events = ()
        for event in events:
            check(event)
        with contextlib.suppress(MalformedPayload):
            to_ticket(document, [document], connector.system)
        with contextlib.suppress(MalformedPayload):
            to_message(kind(name).manifest.comment, document, connector.system)
