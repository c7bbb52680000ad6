"""From reviewed tickets to a model that is promoted if it is good enough."""
