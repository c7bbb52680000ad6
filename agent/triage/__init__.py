"""From a ticket to a decision, and from a decision to one living comment."""
