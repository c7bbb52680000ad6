"""What people make known about the right role, and with how much strength. Silence is never a label."""
