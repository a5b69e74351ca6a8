"""The code-switching baselines: lexicons, code-switched text, and systems trained on it."""
