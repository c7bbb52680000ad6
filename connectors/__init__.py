"""Connectors to ticketing systems. They know tickets, not roles."""
