"""How far each role may go by itself, and what it has shown for it."""
