"""Ticketing systems in memory, each speaking its own API as its vendor documents it, failures included."""
