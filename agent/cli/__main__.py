"""`python -m agent.cli`: the same as `rolecall`, for processes that start another command."""

from agent.cli import main

main()
