"""`Client` and `AsyncClient`, and what they share."""
