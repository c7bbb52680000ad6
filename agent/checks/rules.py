"""Check for what can never hit or never count among the rules: each keyword is tried on a ticket that says just it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

from agent.checks.finding import Finding, warn
from agent.checks.installation import Installation
from agent.text.reading import read
from heuristics import Hit, Kind, Rule, RuleSet, vetoed
from heuristics.rules import Scope

MARKUP = re.compile(r"(?<!\?)(?<!\?P)</?[a-zA-Z]\w*[^<>]*>")
"""Tags: rules read a ticket without them."""

SIGNS = re.compile(r"\b\w{1,2}[+#](?!\w)")
"""Names that are another word without their signs: C++, C#."""

SEVERAL = re.compile(r"\w\s*[,;|]\s+\w|\w\s*[;|]\s*\w|\w,[^\W\d]")
"""Keywords within one: "vpn, wlan"; a comma within a number divides none."""

NAMED = 5
"""Keywords in one sentence."""


def rules(installation: Installation) -> Iterator[Finding]:
    """Yield what can never hit, rules whose time is over, and rules that others undo."""
    today = datetime.now(UTC).date()
    for rule_id, why in idle(installation.rules, today):
        yield warn("rules", f"{rule_id}: {why} ({installation.settings.rules})")


def idle(rules: RuleSet, on: date) -> Iterator[tuple[str, str]]:
    """Yield (rule, why it or a part of it does nothing) as of a day."""
    for rule in rules.rules:
        yield from ((rule.id, why) for why in _of_one(rule, on))
    said = {rule.id: [_hits(rules, word, on) for word in map(_said, rule.keywords)] for rule in rules.rules}
    for rule in rules.rules:
        if rule.kind is Kind.VOTE and rule.keywords and not rule.patterns:
            yield from ((rule.id, why) for why in _undone(rule, said[rule.id]))


def _of_one(rule: Rule, on: date) -> Iterator[str]:
    if rule.active_until is not None and rule.active_until < on:
        yield f"its time was over on {rule.active_until}: remove it, or change `until`"
    alone = RuleSet([replace(rule, scope=Scope.ANY, active_from=None, active_until=None)])
    if silent := [word for word in rule.keywords if not _hits(alone, _said(word), on)]:
        yield f"{_quoted(silent)} can never hit: a ticket that says just this is read without it"
    if signed := [word for word in rule.keywords if SIGNS.search(word)]:
        yield f"{_quoted(signed)} hits without these signs, too, as a keyword is its words: a pattern has signs"
    if listed := [word for word in rule.keywords if SEVERAL.search(word)]:
        yield f"{_quoted(listed)} hits where all of this stands together: put each keyword in quotation marks"
    if markup := [pattern for pattern in rule.patterns if MARKUP.search(pattern)]:
        yield f"pattern {_quoted(markup)} can never hit: HTML is read as the text that people see"


def _undone(rule: Rule, said: list[tuple[Hit, ...]]) -> Iterator[str]:
    """Yield why a rule of keywords never counts: a veto on its role, or an equal vote for another, hits with it."""
    mine = [hits for hits in said if any(hit.rule_id == rule.id for hit in hits)]
    if not mine:
        return
    if all(rule.role in vetoed(hits) for hits in mine):
        vetoes = sorted(
            {hit.rule_id for hits in mine for hit in hits if hit.kind is Kind.VETO and hit.role == rule.role}
        )
        yield f"it never counts: {_quoted(vetoes)} rules out {rule.role} wherever it hits"
        return
    rivals = [{hit.rule_id for hit in hits if _equals(hit, rule)} for hits in mine]
    if shared := sorted(set.intersection(*rivals)):
        yield f"{_quoted(shared)} finds the same words for another role, with the same weight: neither decides"


def _equals(hit: Hit, rule: Rule) -> bool:
    return hit.kind is Kind.VOTE and hit.role != rule.role and hit.weight == rule.weight


def _said(keyword: str) -> str:
    """Return a text that holds what a keyword looks for; a star stands for any letters."""
    return re.sub(r"(?<=\w)\*", "en", re.sub(r"\*(?=\w)", "be", keyword))


def _hits(rules: RuleSet, text: str, on: date) -> tuple[Hit, ...]:
    reading = read("", text)
    return (*rules.match(reading.subject, "", on), *rules.match("", reading.subject or reading.body, on))


def _quoted(names: Iterable[str]) -> str:
    some = list(names)
    more = f" and {len(some) - NAMED} more" if len(some) > NAMED else ""
    return ", ".join(f"`{name}`" for name in some[:NAMED]) + more
