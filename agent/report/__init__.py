"""How good a week was, from the tickets that came in and what people said of them."""
