"""What the site calls things."""

from __future__ import annotations


def method_in_words(training: str) -> str:
    """A method of training as people say it."""
    return training if training == "zero-shot" else training.replace("-", " ")
