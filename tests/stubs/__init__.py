"""Servers on loopback that stand for services of others, stateful and as they are documented."""
