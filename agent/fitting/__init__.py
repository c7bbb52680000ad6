"""From labelled texts to fitted weights, in a process of its own: what the ticket agent and the model API share."""
