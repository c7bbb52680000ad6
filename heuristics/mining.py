"""Propose keyword rules from labelled texts: phrases that point to one role more often than chance allows.

Proposals, not truths: they are shown to a person, or serve as the benchmark's "rules learnt from the same tickets".
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import log

from heuristics.function_words import FUNCTION_WORDS
from heuristics.rules import Kind, Rule
from heuristics.wilson import wilson_interval
from heuristics.words import number_forms, tokenise

MAX_WORDS = 2
MIN_SUPPORT = 2
"""Distinct texts of the role in which a phrase must stand."""
CONFIDENCE_Z = 1.2815515655446004
"""One-sided 90 %: of ten phrases that say nothing, one may slip through."""
IMAGINED = 2.0
"""Texts at base rate that a phrase's own counts are mixed with (m-estimate, Cestnik 1990)."""
PHRASE_GAIN = log(2)
"""A phrase must double the odds that its best single word gives, or the word says enough."""
ID_PREFIX = "learnt"


def propose(texts: Sequence[str], roles: Sequence[str], min_support: int = MIN_SUPPORT) -> tuple[Rule, ...]:
    """Return vote rules of one keyword each, strongest first; `texts` and `roles` go in pairs.

    A phrase is kept where most of its texts have the role and the lower bound of that share is above the role's base
    rate. Its weight is how much it raises the log-odds of the role, smoothed, so that votes add up as in naive Bayes.
    Repeated texts count once.
    """
    pairs = sorted(set(zip(map(_words, texts), roles, strict=True)))
    vocabulary = {word for words, _ in pairs for word in words}
    singular = {word: _singular(word, vocabulary) for word in vocabulary}
    base = Counter(role for _, role in pairs)
    seen: Counter[tuple[str, ...]] = Counter()
    seen_in_role: Counter[tuple[tuple[str, ...], str]] = Counter()
    for words, role in pairs:
        phrases = set(_phrases([singular[word] for word in words]))
        seen.update(phrases)
        seen_in_role.update((phrase, role) for phrase in phrases)
    weights: dict[tuple[tuple[str, ...], str], float] = {}
    for (phrase, role), count in seen_in_role.items():
        rate = base[role] / len(pairs)
        low, _ = wilson_interval(count, seen[phrase], CONFIDENCE_Z)
        if count >= min_support and 2 * count > seen[phrase] and low > rate:
            share = (count + IMAGINED * rate) / (seen[phrase] + IMAGINED)
            weights[phrase, role] = _log_odds(share) - _log_odds(rate)
    kept = [key for key, weight in weights.items() if weight >= _best_part(key, weights) + _required_gain(key[0])]
    kept.sort(key=lambda key: (-weights[key], key))
    return tuple(_rule(phrase, role, weights[phrase, role]) for phrase, role in kept)


def to_toml(rules: Iterable[Rule]) -> str:
    """Write keyword and pattern votes as `[[rule]]` tables that `load_rules` reads back, without dates and negation."""
    return "\n".join(
        f"[[rule]]\nid = {_quote(rule.id)}\nrole = {_quote(rule.role)}\n"
        + (f"weight = {rule.weight:.2f}\n" if rule.kind is Kind.VOTE else f"kind = {_quote(rule.kind)}\n")
        + (f"keywords = [{', '.join(map(_quote, rule.keywords))}]\n" if rule.keywords else "")
        + (f"patterns = [{', '.join(map(_quote, rule.patterns))}]\n" if rule.patterns else "")
        for rule in rules
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(token.form for token in tokenise(text))


def _singular(word: str, vocabulary: set[str]) -> str:
    """Return the shortest of the word's number forms that occurs, so that singular and plural count together."""
    return min((form for form in number_forms(word) if form in vocabulary), key=lambda form: (len(form), form))


def _phrases(words: Sequence[str]) -> Iterable[tuple[str, ...]]:
    """Yield every run of up to MAX_WORDS words that says something.

    Numbers name a thing, not a kind of work, so no run holds one; none is made of function words alone, either.
    """
    for size in range(1, MAX_WORDS + 1):
        for at in range(len(words) - size + 1):
            phrase = tuple(words[at : at + size])
            if not any(word.isdigit() or len(word) < 2 for word in phrase) and not FUNCTION_WORDS.issuperset(phrase):
                yield phrase


def _best_part(key: tuple[tuple[str, ...], str], weights: dict[tuple[tuple[str, ...], str], float]) -> float:
    phrase, role = key
    return max((weights.get(((word,), role), 0.0) for word in phrase), default=0.0) if len(phrase) > 1 else 0.0


def _required_gain(phrase: tuple[str, ...]) -> float:
    return PHRASE_GAIN if len(phrase) > 1 else 0.0


def _rule(phrase: tuple[str, ...], role: str, weight: float) -> Rule:
    slug = re.sub(r"\W+", "-", f"{ID_PREFIX} {role} {' '.join(phrase)}".lower()).strip("-")
    return Rule(slug, role, weight=weight, keywords=(" ".join(phrase),))


def _log_odds(share: float) -> float:
    return log(share / (1 - share))


def _quote(word: str) -> str:
    return json.dumps(word, ensure_ascii=False)  # JSON's strings are TOML's basic strings
