"""Names of shards: a hash of all that decides what is in one, so that changed input has new ones.

A shard is a batch, or a piece of a large corpus, as one machine would make it. Which texts it has
depends on the texts alone, not on the number of workers or on who takes it.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.models.description import ModelDescription

FINGERPRINT = 32
"""Digits of a fingerprint that are a folder's name, in the cache of embeddings too."""


def batches_folder(fingerprint: str) -> str:
    """Where the batches of a model are."""
    return f"{fingerprint[:FINGERPRINT]}/batches"


def batch_name(fingerprint: str, texts: Sequence[str]) -> str:
    """Of the embeddings of a batch of texts, in their order."""
    return f"{batches_folder(fingerprint)}/{_hash(texts)}.npy"


def piece_name(fingerprint: str, digest: str) -> str:
    """Of a piece of a large corpus, by the digest that the cache of embeddings names it by."""
    return f"{fingerprint[:FINGERPRINT]}/corpora/{digest}.npy"


def pairs_name(description: ModelDescription, pairs: Sequence[tuple[str, str]]) -> str:
    """Of the scores of a batch of pairs, in their order."""
    decides = {
        # A digest says what the files hold, whatever the folder is called.
        "name": description.name if description.digest is None else None,
        "revision": description.revision,
        "digest": description.digest,
        "settings": dict(description.settings),
    }
    model = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
    return f"{model[:FINGERPRINT]}/pairs/{_hash([text for pair in pairs for text in pair])}.npy"


def _hash(texts: Sequence[str]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for text in texts:
        content = text.encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()
