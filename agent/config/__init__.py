"""Configuration: settings, secrets, roles and rules, from files and environment to validated values."""
