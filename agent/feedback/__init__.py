"""What people say about the right role, and how strong each review is. Silence is never a label."""
