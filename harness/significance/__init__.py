"""Paired tests: one file a test, pure functions on aligned arrays, frozen results."""
