"""Studies of a desk's own history, which only the command line opens."""
