"""Who may sign in, with what rights, in which browsers they are signed in, and who changed what."""
