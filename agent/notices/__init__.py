"""Notify the operator of what they should know, by way of Apprise (https://github.com/caronc/apprise): e-mail, ntfy ...

    facts → conditions (pure) → outbox (kept until told) → one message for all that is new → each address

No ticket text is ever in it. What cannot be sent waits in the database and holds up nothing else.
"""
