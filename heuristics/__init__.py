"""Keyword rules: they know text, not tickets."""
