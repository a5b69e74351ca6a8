"""Rankings: pools and what they are made of, exact ranks, candidates."""
