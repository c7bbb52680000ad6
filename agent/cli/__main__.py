"""`python -m agent.cli`: the same as `rolecall`, for processes that start one another."""

from agent.cli import main

main()
