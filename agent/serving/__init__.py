"""The model in use: texts in, role probabilities out, without torch."""
