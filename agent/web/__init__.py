"""Pages and plain endpoints for operators, reviewers and their monitoring."""
