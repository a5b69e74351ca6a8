"""What the site calls things."""

from __future__ import annotations

MODEL_KINDS = {
    "dense": "Dense encoder",
    "sparse": "Learned sparse encoder",
    "late-interaction": "Late interaction",
    "cross-encoder": "Cross-encoder reranker",
    "bm25": "BM25, words and stems",
    "char-ngram": "TF-IDF of character n-grams",
    "run": "Run files",
    "fusion": "Fusion of systems",
}


def method_in_words(training: str) -> str:
    """A method of training as people say it."""
    return training if training == "zero-shot" else training.replace("-", " ")


def kind_in_words(kind: str) -> str:
    """A kind of model as people say it."""
    return MODEL_KINDS[kind]


def parameters_in_words(count: int) -> str:
    """``23 M`` or ``7.1 B``, which no line breaks."""
    for unit, name in ((10**9, "B"), (10**6, "M")):
        if count >= unit:
            return f"{count / unit:.{1 if count < 10 * unit else 0}f}\u00a0{name}"
    return f"{count:,}"
