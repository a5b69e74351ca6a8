"""Finds the kind of model from what the user names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.errors import UsageError

if TYPE_CHECKING:
    from harness.models.encoder_options import EncoderOptions
    from harness.retrievers import Model

BUILT_IN = ("bm25", "char-ngram")
"""Built-in models, which take no options."""


def open_model(name: str, options: EncoderOptions) -> Model:
    """Loads a model.

    Args:
        name: ``bm25``, ``char-ngram``, a folder, or the id of a hub repository.
        options: What replaces an encoder's own declarations.

    Raises:
        ModelError: If the model cannot be loaded.
        UsageError: If options are given to a model that has none.
    """
    if name in BUILT_IN:
        from harness.models.lexical import BM25, CharNgram

        if changed := options.changed():
            raise UsageError(
                f"{name!r} is built in and takes no options of an encoder, found: "
                f"{', '.join(changed)}."
            )
        return BM25() if name == "bm25" else CharNgram()
    from harness.models.dense import DenseEncoder

    return DenseEncoder.load(name, options)
