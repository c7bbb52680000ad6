"""The model API under /v1, a drop-in for SetFit Docker API: train a classifier by name, poll, predict, embed."""
