"""From the socket to the inbox: receive, verify, normalise, store; only then acknowledge."""
