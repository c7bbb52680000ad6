"""Border to ticketing systems: they know tickets, not roles."""
