"""Keyword rules that operators write. They know text, not tickets and not the agent."""

from heuristics.rules import Hit, Kind, Rule, RuleSet, Scope, leading_role, tally, vetoed

__all__ = ["Hit", "Kind", "Rule", "RuleSet", "Scope", "leading_role", "tally", "vetoed"]
