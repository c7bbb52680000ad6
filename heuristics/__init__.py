"""Rules that operators write: they know text, not tickets and not the agent."""

from heuristics.loading import RulesError, load_rules
from heuristics.rules import Hit, Kind, Rule, Scope, leading_role, tally, vetoed
from heuristics.ruleset import RuleSet

__all__ = ["Hit", "Kind", "Rule", "RuleSet", "RulesError", "Scope", "leading_role", "load_rules", "tally", "vetoed"]
