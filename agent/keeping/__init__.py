"""What is kept: forgetting, retention, backup and restore."""
