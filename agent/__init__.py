"""Rolecall: the agent. The only place where tickets meet roles."""
