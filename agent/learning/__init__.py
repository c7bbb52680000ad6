"""From reviewed tickets to a model that has earned its place."""
