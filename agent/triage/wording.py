"""What our comment says. Light Markdown, first line first: people have two seconds.

Words from tickets are untrusted: they appear only as short code spans, in which no markup, link or mention works.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from agent.domain import Band
from agent.triage.abstention import Abstained, Verdict
from agent.triage.opinion import Opinion
from heuristics import Kind

HEAD = "**Role: {roles}** ({band})"
GUESS = "**Role: not sure, perhaps {roles}**"
SETTLED = "**Role: {roles}** ({how} by staff)"
WHY = "Why: {reasons}."
HOW_TO_ANSWER = "Right? Answer with a private note `/role ok`. Wrong? `/role NAME`."
UNKNOWN_ROLE = "I know no role {name}. {hint}"

PHRASES_SHOWN = 3
NEIGHBOURS_SHOWN = 2
EXCERPT_LENGTH = 60
RUNNER_UP = 0.5
"""A second role is named beside a guess when it is at least this share as probable."""


def comment(opinion: Opinion, subjects: Mapping[str, str], note: str | None = None) -> str | None:
    """Return the comment for an opinion, or None where silence is better.

    `subjects` holds the first words of the neighbours' tickets, `note` a line that answers a command.
    """
    verdict = opinion.verdict
    if isinstance(verdict, Abstained):
        return note
    lines = [_head(opinion, verdict)]
    if reasons := _reasons(opinion, verdict, subjects):
        lines.append(WHY.format(reasons="; ".join(reasons)))
    lines += [note] if note else []
    return "\n\n".join([*lines, HOW_TO_ANSWER])


def settled(roles: Sequence[str], how: str) -> str:
    """Return the comment after people have spoken; `how` is "corrected" or "confirmed"."""
    return SETTLED.format(roles=_listed(roles, "and"), how=how)


def unknown_role(name: str, close: Sequence[str]) -> str:
    """Return the answer to `/role NAME` with a name that no role has."""
    hint = f"Did you mean {_listed(close, 'or')}?" if close else "`rolecall check` lists the roles."
    return UNKNOWN_ROLE.format(name=excerpt(name), hint=hint)


def excerpt(text: str) -> str:
    """Return the beginning of untrusted text as a code span on one line."""
    printable = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text[: 4 * EXCERPT_LENGTH])
    words = " ".join(printable.replace("`", "'").split())
    if len(words) > EXCERPT_LENGTH:
        words = words[: EXCERPT_LENGTH - 1].rstrip() + "…"
    return f"`{words}`"


def _head(opinion: Opinion, verdict: Verdict) -> str:
    if verdict.band is not Band.GUESS:
        return HEAD.format(roles=_listed(verdict.roles, "and"), band=verdict.band)
    second, probability = next(((r, p) for r, p in opinion.ranked() if r not in verdict.roles), ("", 0.0))
    close = probability >= RUNNER_UP * verdict.probability
    return GUESS.format(roles=_listed((*verdict.roles, second) if close else verdict.roles, "or"))


def _reasons(opinion: Opinion, verdict: Verdict, subjects: Mapping[str, str]) -> list[str]:
    reasons = []
    if phrases := _phrases(opinion, verdict):
        reasons.append("it says " + ", ".join(map(excerpt, phrases)))
    alike = [n for n in opinion.neighbours if set(n.roles) & set(verdict.roles) and n.ticket_key in subjects]
    if alike:
        like = ", ".join(
            f"{excerpt(subjects[n.ticket_key])} ({_listed(n.roles, 'and')})" for n in alike[:NEIGHBOURS_SHOWN]
        )
        reasons.append(f"reviewed before: {like}")
    if not reasons and opinion.model_version:
        reasons.append("the words as a whole resemble its reviewed tickets")
    return reasons


def _phrases(opinion: Opinion, verdict: Verdict) -> list[str]:
    """Return the matched words that speak for the verdict, the weightiest first, none that is part of another."""
    votes = [h for h in opinion.hits if h.kind is Kind.VOTE and h.role in verdict.roles]
    words = list(dict.fromkeys(h.phrase.casefold() for h in sorted(votes, key=lambda h: -h.weight)))
    whole = [word for word in words if not any(word != other and word in other for other in words)]
    return whole[:PHRASES_SHOWN]


def _listed(words: Sequence[str], last: str) -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
