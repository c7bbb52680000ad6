"""Files of rows as other programs write them: how they are encoded, divided and dated is guessed, and said."""
