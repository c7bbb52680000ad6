"""From the inbox to the outcome: engines that claim events, hand them on, retry and bury."""
