"""From a ticket's text to an opinion on its role, and what may be said of it."""
