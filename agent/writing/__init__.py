"""What was wrong, why, and what helped: cut from a ticket's own messages, every sentence as somebody wrote it."""
