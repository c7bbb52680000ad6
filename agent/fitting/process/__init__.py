"""The training process: the only code that imports torch. Started by `agent.fitting.child`, never imported by it."""
