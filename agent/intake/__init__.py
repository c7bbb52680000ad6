"""From the socket to the inbox: receive, verify, normalise, keep; only then acknowledge."""
