"""Simulations that show whether the tests keep what they promise."""
