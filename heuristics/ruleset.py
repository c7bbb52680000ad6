"""All rules compiled into one matcher."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import date

from heuristics.negation import compile_negation, negated
from heuristics.patterns import PatternIndex
from heuristics.rules import Hit, Rule, Scope
from heuristics.words import PhraseIndex, Token, compile_phrase, tokenise

MAX_HITS = 20
"""Hits kept per rule and field: a ticket of one word repeated a million times is no better evidence than twenty."""


class RuleSet:
    """Rules that have been checked, compiled once. Immutable, so threads may share it."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self.version = _fingerprint(self.rules)
        self._phrases = PhraseIndex(
            (number, compile_phrase(keyword)) for number, rule in enumerate(self.rules) for keyword in rule.keywords
        )
        self._patterns = PatternIndex(
            (number, pattern) for number, rule in enumerate(self.rules) for pattern in rule.patterns
        )
        self._negations = [tuple(map(compile_negation, rule.negation)) for rule in self.rules]

    def match(self, subject: str, body: str, on: date) -> tuple[Hit, ...]:
        """Return every hit of every rule in force on this day, in reading order. Hits of different rules may overlap.

        At most MAX_HITS per rule and field. Time is linear in the text, whatever it holds.
        """
        fields = ((Scope.SUBJECT, subject), (Scope.BODY, body))
        return tuple(hit for field, text in fields for hit in self._match_field(field, text, on))

    def _match_field(self, field: Scope, text: str, on: date) -> Iterator[Hit]:
        tokens = tokenise(text)
        counts: dict[int, int] = {}
        for start, end, number in sorted(self._spans(tokens, text)):
            rule = self.rules[number]
            if rule.scope not in (Scope.ANY, field) or not rule.active(on) or counts.get(number, 0) >= MAX_HITS:
                continue
            first = bisect_right(tokens, start, key=lambda token: token.end)
            last = bisect_left(tokens, end, key=lambda token: token.start)
            if negated(tokens, first, last, self._negations[number]):
                continue
            counts[number] = counts.get(number, 0) + 1
            yield Hit(rule.id, rule.role, rule.kind, rule.weight, field, start, end, text[start:end])

    def _spans(self, tokens: list[Token], text: str) -> set[tuple[int, int, int]]:
        """Return (start, end, rule number) of every candidate; two keywords of one rule at one place are one hit."""
        spans = {(tokens[at].start, tokens[end - 1].end, number) for number, at, end in self._phrases.find(tokens)}
        spans.update((start, end, number) for number, start, end in self._patterns.find(text))
        return spans


def _fingerprint(rules: tuple[Rule, ...]) -> str:
    """Return 16 hexadecimal digits that change when a rule does, and not when only a comment or the order does."""
    content = sorted(json.dumps(dataclasses.asdict(rule), default=str, sort_keys=True) for rule in rules)
    return hashlib.sha256("\n".join(content).encode()).hexdigest()[:16]
