"""What a history proposes: a role for each group, and rules mined from its words. Pure: texts of files come out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from agent.config.roles_file import RESERVED, SEPARATORS
from agent.domain import fold
from agent.text.own_words import spelling
from agent.text.reading import one_line, read
from connectors.events import Ticket
from connectors.http import in_clear
from heuristics import RuleSet
from heuristics.mining import propose, to_toml
from heuristics.report import ReviewedText, RuleFigures, report

LEAST_TICKETS = 5
"""A group that closed fewer is proposed as a comment only."""

SHARE_TO_MINE = 0.7
"""Rules are mined from the older tickets and measured on the newer ones."""

RULES_A_ROLE = 12
LEAST_HITS = 2
"""On the newer tickets: a rule that hit fewer of them is not measured."""

WORDS_SHOWN = 6
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Proposed:
    """A role for a group of one system; `tickets` is how many it closed, `words` are what its tickets speak of."""

    name: str
    group: str
    tickets: int
    words: tuple[str, ...] = ()
    wanted: bool = False
    """Whether somebody named it."""

    @property
    def usual(self) -> bool:
        """Whether there are tickets enough for a role, or people who want it."""
        return self.wanted or self.tickets >= LEAST_TICKETS


@dataclass(frozen=True, slots=True)
class Measured:
    """A mined rule as the rules file has it, and what it did on tickets that it was not mined from."""

    toml: str
    role: str
    tickets: int
    right: int

    def good(self, bar: float) -> bool:
        """Return whether it may speak."""
        return self.tickets >= LEAST_HITS and self.right >= bar * self.tickets


def roles(groups: Mapping[str, int], named: Mapping[str, str] | None = None) -> list[Proposed]:
    """Return a role for each group, those of most tickets first; `named` are names that people chose, by group."""
    taken: set[str] = set()
    found = []
    named = named or {}
    for group, tickets in sorted(({**dict.fromkeys(named, 0), **groups}).items(), key=lambda each: (-each[1], each[0])):
        if not fold(group):
            continue
        name = _name(named.get(group, group), taken)
        taken.add(spelling(name))
        found.append(Proposed(name, group, tickets, wanted=group in named))
    return found


def _name(wanted: str, taken: set[str]) -> str:
    """Return a name that a role may have, as near to the wanted one as can be."""
    plain = "".join(" " if mark in SEPARATORS or not mark.isprintable() else mark for mark in wanted)
    plain = " ".join(plain.split())[:LONGEST_NAME].strip() or "Group"
    plain = f"Group {plain}" if plain.isdigit() or fold(plain) in RESERVED else plain
    name, number = plain, 2
    while spelling(name) in taken:
        name, number = f"{plain} {number}", number + 1
    return name


def mined(tickets: Sequence[Ticket], proposed: Sequence[Proposed]) -> tuple[list[Measured], list[Proposed]]:
    """Return rules mined from the older tickets and measured on the newer, and the roles with their words."""
    by_group = {fold(one.group): one.name for one in proposed if one.usual}
    texts = [
        (read(t.subject, t.body), by_group[fold(t.group)]) for t in tickets if t.group and fold(t.group) in by_group
    ]
    older, newer = texts[: int(SHARE_TO_MINE * len(texts))], texts[int(SHARE_TO_MINE * len(texts)) :]
    rules = propose([reading.text for reading, _ in older], [role for _, role in older]) if older else ()
    seen = [
        ReviewedText(str(number), reading.subject, reading.body, (role,), date.min)
        for number, (reading, role) in enumerate(newer)
    ]
    figures = sorted(
        report(RuleSet(rules), seen).rules, key=lambda one: (-one.right, one.tickets, -one.rule.weight, one.rule.id)
    )
    kept: list[RuleFigures] = []
    counts: Counter[str] = Counter()
    for one in figures:
        if counts[one.rule.role] < RULES_A_ROLE:
            counts[one.rule.role] += 1
            kept.append(one)
    words = {name: [one.rule.keywords[0] for one in kept if one.rule.role == name] for name in by_group.values()}
    described = [replace(one, words=tuple(words.get(one.name, ())[:WORDS_SHOWN])) for one in proposed]
    order = {one.name: place for place, one in enumerate(proposed)}
    kept.sort(key=lambda one: order.get(one.rule.role, 0))
    return [Measured(to_toml([one.rule]), one.rule.role, one.tickets, one.right) for one in kept], described


def roles_file(source: str, proposed: Sequence[Proposed]) -> str:
    """Return a roles file: a role for each group; of those with few tickets as a comment."""
    lines = [
        "# Roles: who can handle a ticket. Proposed by `rolecall init`, one for each group that closed tickets.",
        "# Give them the names that people use (here and in rules.toml), and keep the alias: the history knows each by",
        "# it. Say what each handles, and take out what is no role, such as an intake queue: its tickets then teach",
        '# nothing. Two groups of one role: groups = { NAME = ["a", "b"] }.',
        "",
    ]
    for one in proposed:
        about = ", ".join(one.words)  # the desk's words, whatever its language
        table = [
            "[[role]]",
            f"name = {_toml(one.name)}",
            f"aliases = {_toml([one.name])}",
            f"description = {_toml(one_line(about))}",
            f"groups = {_toml({source: one.group})}",
        ]
        many = f"{one.tickets} closed ticket{'s' * (one.tickets != 1)}"
        lines += [f"# {many}{'' if one.usual else ': too few to learn from'}"]
        lines += [*(table if one.usual else (f"# {line}" for line in table)), ""]
    return "\n".join(lines)


def rules_file(rules: Sequence[Measured], bar: float) -> str:
    """Return a rules file: each rule with what it did on newer tickets; below the bar as a comment."""
    lines = [
        "# Rules: words that tell roles apart. `rolecall init` mined them from the older closed tickets, and measured",
        f"# them on the newer ones. Those that were right on less than {bar:.0%} of these, or hit fewer than",
        f"# {LEAST_HITS}, are comments: take the # away where you know better. `rolecall rules report` measures again.",
        "",
    ]
    for one in rules:
        share = f" ({one.right / one.tickets:.0%})" if one.tickets else ""
        lines.append(f"# {one.role}: right on {one.right} of {one.tickets} newer tickets{share}")
        table = one.toml.strip().splitlines()
        lines += [*(table if one.good(bar) else (f"# {line}" for line in table)), ""]
    return "\n".join(lines)


def connector_table(name: str, kind: str, settings: Mapping[str, Any]) -> str:
    """Return the table of a connector as it stands in the settings file."""
    return table(f"connectors.{name}", ({"kind": kind} if kind != name else {}) | dict(settings))


def table(name: str, values: Mapping[str, Any]) -> str:
    """Return a table of a TOML file."""
    return "\n".join([f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items()), ""])


def settings_file(
    text: str, table: str, *, shadow: bool, public_url: str | None, polled: bool = False, language: str = ""
) -> str:
    """Return a settings file in which nothing was set, with a connector, and every role in shadow to begin with."""
    begin = 'start = "shadow"         # decide and record, and post nothing until `rolecall ladder begin`'
    given = {"ladder": begin if shadow else ""}
    given["work"] = "poll_seconds = 60        # it sends no webhooks" if polled else ""
    given["server"] = "\n".join(_server(public_url)) if public_url else ""
    lines = text.rstrip().splitlines()
    if language:  # above every table
        place = next((n for n, line in enumerate(lines, 1) if line.startswith("# language")), 0)
        lines.insert(place, f"language = {_toml(language)}")
    for header, line in given.items():
        if not line:
            continue
        if f"[{header}]" in lines:
            lines.insert(lines.index(f"[{header}]") + 1, line)
        else:
            lines += ["", f"[{header}]", line]
    return "\n".join([*lines, "", table])


def _server(public_url: str) -> Iterator[str]:
    """Yield the settings of a server that is reached at this address: on this machine nothing stands between."""
    yield f"public_url = {_toml(public_url)}"
    place = urlsplit(public_url)
    if place.scheme == "http" and place.port and not in_clear(public_url):
        yield f"port = {place.port}"


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + " }" if value else "{}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # JSON's strings are TOML's basic strings


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if plain else json.dumps(name, ensure_ascii=False)


def shown(proposed: Sequence[Proposed]) -> Iterator[str]:
    """Yield a line for each proposed role."""
    for one in proposed:
        words = f": {', '.join(one.words)}" if one.words else ""
        yield f"  {one.tickets:6} {one.name}{'' if one.usual else ' (too few: a comment)'}{words}"
