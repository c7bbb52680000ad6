"""The pages for people: what came in, what was said and why, and what they answer."""
