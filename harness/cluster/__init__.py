"""Scoring on many machines: shards of the work go to workers that Ray runs."""
