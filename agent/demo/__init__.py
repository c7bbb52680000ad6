"""A demonstration on a real helpdesk with real work orders."""
