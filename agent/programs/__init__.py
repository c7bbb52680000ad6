"""What other programs read and answer, each for an account of the pages and with its rights."""
