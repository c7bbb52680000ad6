"""Studies of an installation's own history, for the command line only."""
