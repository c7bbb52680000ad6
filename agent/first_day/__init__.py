"""The first day: an installation made of what a connected system tells of itself and of its history."""
