"""The training process: the only code that imports torch. Started by `agent.learning.child`, never imported by it."""
