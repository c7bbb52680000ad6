"""Text as people and mail programs send it: made plain, and divided into a person's own words and all else."""
