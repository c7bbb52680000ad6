"""Read rules from a TOML file and report every fault at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from agent.config.toml_file import TomlFile, entries, read, unknown_keys, validated
from agent.domain import RoleCatalogue
from agent.errors import ConfigurationError, Fault
from heuristics.patterns import fault_in
from heuristics.rules import Kind, Rule, RuleSet, Scope
from heuristics.words import DEFAULT_NEGATION, compile_negation, compile_phrase

TABLE = "rule"
DEFAULTS = "defaults"


class RulesError(ConfigurationError):
    """The rules file cannot be used."""


class DefaultsEntry(BaseModel):
    """The keys of `[defaults]`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    negation: list[str] = list(DEFAULT_NEGATION)


class RuleEntry(BaseModel):
    """The keys of `[[rule]]`, as the file spells them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(min_length=1)
    role: str = Field(min_length=1)
    kind: Kind = Field(default=Kind.VOTE, strict=False)
    weight: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    keywords: list[str] = []
    patterns: list[str] = []
    scope: Scope = Field(default=Scope.ANY, strict=False)
    negation: list[str] | None = None
    active_from: date | None = Field(default=None, alias="from")
    active_until: date | None = Field(default=None, alias="until")


def load_rules(path: Path, roles: RoleCatalogue | None = None) -> RuleSet:
    """Read, check and compile a rules file. With `roles`, a rule must name one of them, if by its former name.

    Raises RulesError with all faults, each with its line.
    """
    file = read(path, RulesError, "setting rules")
    default_negation, faults = _defaults(file)
    good, bad_entries = entries(file, TABLE, RuleEntry)
    faults += bad_entries
    names = roles or RoleCatalogue([])
    lines: dict[str, int] = {}
    for index, entry in good:
        line = file.line((TABLE, index))
        problems = list(_problems(entry, roles))
        if (earlier := lines.setdefault(entry.id, line)) != line:
            problems.append(("id", f"the id is already taken by line {earlier}"))
        faults += [file.fault((TABLE, index, key), f"rule {entry.id!r}: {problem}") for key, problem in problems]
    if faults:
        raise RulesError(faults)
    return RuleSet(_rule(entry, names, default_negation) for _, entry in good)


def _defaults(file: TomlFile) -> tuple[list[str], list[Fault]]:
    faults = unknown_keys(file, (TABLE, DEFAULTS))
    given, bad = validated(file, (DEFAULTS,), file.document.get(DEFAULTS, {}), DefaultsEntry, DEFAULTS)
    faults += bad
    if given is None:
        return [], faults
    negation = given.negation
    faults += [file.fault((DEFAULTS, "negation"), problem) for problem in _negation_problems(negation)]
    return negation, faults


def _problems(entry: RuleEntry, roles: RoleCatalogue | None) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong) for faults that the types of single keys cannot show."""
    if roles is not None and roles.lookup(entry.role) is None:
        yield "role", f"role {entry.role!r} is not among the roles ({', '.join(sorted(roles.names))})"
    if not entry.keywords and not entry.patterns:
        yield "", "has neither keywords nor patterns, so it can never hit"
    for keyword in entry.keywords:
        if not compile_phrase(keyword):
            yield "keywords", f"keyword {keyword!r} holds no word"
    for pattern in entry.patterns:
        if reason := fault_in(pattern):
            yield "patterns", f"pattern {pattern!r}: {reason}"
    for problem in _negation_problems(entry.negation or []):
        yield "negation", problem
    if entry.kind is Kind.VETO and entry.weight is not None:
        yield "weight", "a veto has no weight: it rules the role out"
    if entry.active_from and entry.active_until and entry.active_until < entry.active_from:
        yield "until", f"until ({entry.active_until}) is before from ({entry.active_from})"


def _negation_problems(phrases: list[str]) -> Iterator[str]:
    for phrase in phrases:
        try:
            compile_negation(phrase)
        except ValueError as exc:
            yield f"negation {exc}"


def _rule(entry: RuleEntry, roles: RoleCatalogue, default_negation: list[str]) -> Rule:
    weight = 0.0 if entry.kind is Kind.VETO else 1.0 if entry.weight is None else entry.weight
    return Rule(
        id=entry.id,
        role=roles.today([entry.role])[0],
        kind=entry.kind,
        weight=weight,
        keywords=tuple(entry.keywords),
        patterns=tuple(entry.patterns),
        scope=entry.scope,
        negation=tuple(default_negation if entry.negation is None else entry.negation),
        active_from=entry.active_from,
        active_until=entry.active_until,
    )
