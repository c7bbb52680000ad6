"""Rules, their hits, the sum of hits per role, and the matcher that all rules are compiled into."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from heuristics.patterns import PatternIndex
from heuristics.words import PhraseIndex, Token, compile_negation, compile_phrase, negated, tokenise


class Kind(StrEnum):
    """What a rule says of its role when it finds something."""

    VOTE = "vote"
    """Evidence for the role, as strong as the rule's weight."""
    VETO = "veto"
    """This role never handles such a ticket, however many votes it has."""


class Scope(StrEnum):
    """Which part of a ticket a rule reads."""

    ANY = "any"
    SUBJECT = "subject"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of an operator's knowledge.

    `weight` is in log-odds (nats): 0.7 doubles the odds of the role, 2.3 makes them ten times higher, as a feature's
    weight in naive Bayes or logistic regression does. A veto has none (0). Both dates are inclusive.
    """

    id: str
    role: str
    kind: Kind = Kind.VOTE
    weight: float = 1.0
    keywords: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    scope: Scope = Scope.ANY
    negation: tuple[str, ...] = ()
    active_from: date | None = None
    active_until: date | None = None

    def active(self, on: date) -> bool:
        """Return whether the rule is in force on this day."""
        return (self.active_from or date.min) <= on <= (self.active_until or date.max)


@dataclass(frozen=True, slots=True)
class Hit:
    """A place in a ticket where a rule applies: `phrase` is the text at characters `start` to `end` of `field`."""

    rule_id: str
    role: str
    kind: Kind
    weight: float
    field: Scope
    start: int
    end: int
    phrase: str


def tally(hits: Iterable[Hit]) -> dict[str, float]:
    """Sum the votes per role in log-odds, heaviest role first, then by name.

    A rule counts once, however often its words occur: repeating a word makes a ticket longer, not surer.
    """
    weights = {hit.rule_id: (hit.role, hit.weight) for hit in hits if hit.kind is Kind.VOTE}
    totals: dict[str, float] = {}
    for role, weight in weights.values():
        totals[role] = totals.get(role, 0.0) + weight
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def vetoed(hits: Iterable[Hit]) -> set[str]:
    """Return the roles that some rule rules out."""
    return {hit.role for hit in hits if hit.kind is Kind.VETO}


def leading_role(hits: Iterable[Hit]) -> str | None:
    """Return the role with the highest tally that is not vetoed; None where nothing votes or the lead is shared."""
    hits = tuple(hits)
    barred = vetoed(hits)
    ranked = [(weight, role) for role, weight in tally(hits).items() if role not in barred]
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    return ranked[0][1]


_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u2010\u2011](?=[^\W\d_])")

MAX_HITS = 20
"""Hits kept per rule and field: a ticket of one word repeated a million times is no better evidence than twenty."""


class RuleSet:
    """Rules that have been checked, compiled once. Immutable, so threads may share it."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self.version = _fingerprint(self.rules)
        self._phrases = PhraseIndex(
            (number, compile_phrase(spelt))
            for number, rule in enumerate(self.rules)
            for keyword in rule.keywords
            for spelt in _spellings(keyword)
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


def _spellings(keyword: str) -> Iterator[str]:
    """Yield a keyword, and what people write who leave its hyphens out: Wi-Fi and WiFi, e-mail and email."""
    yield keyword
    if (joined := _HYPHEN.sub("", keyword)) != keyword:
        yield joined


def _fingerprint(rules: tuple[Rule, ...]) -> str:
    """Return 16 hexadecimal digits that change when a rule does, and not when only a comment or the order does."""
    content = sorted(json.dumps(dataclasses.asdict(rule), default=str, sort_keys=True) for rule in rules)
    return hashlib.sha256("\n".join(content).encode()).hexdigest()[:16]
