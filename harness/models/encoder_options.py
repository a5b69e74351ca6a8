"""What a user may set on an encoder in place of what the model declares."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from harness.models.description import Kind

Attention = Literal["sdpa", "eager", "flash_attention_2"]
DType = Literal["float32", "bfloat16", "float16"]
Embeddings = Literal["float32", "int8", "binary"]
RESCORE = 100
"""Documents that quantised embeddings are rescored for, unless told otherwise."""
Similarity = Literal["cosine", "dot"]
HOW_IT_RUNS = ("device", "attention", "compile")
"""Options that change a score by no more than rounding: an entry's command leaves them out."""


@dataclass(frozen=True, slots=True)
class EncoderOptions:
    """What replaces that which the model declares; None keeps the model's own.

    Attributes:
        revision: Branch, tag or commit of a hub repository.
        query_prompt: Text put before each query.
        document_prompt: Text put before each document.
        pooling: How token vectors become one: mean, cls, max, lasttoken, ...
        normalise: Whether vectors are scaled to length 1.
        similarity: ``cosine`` or ``dot``.
        max_tokens: Longer texts are cut.
        dtype: Number format of the weights and activations.
        device: Such as ``cpu`` or ``cuda:0``; None or ``auto`` takes the best there is. Several,
            as ``cuda:0,cuda:1``, share the batches.
        kind: What the checkpoint is, where its files leave that open.
        trust_remote_code: Whether code that comes with the model may run.
        truncate_dimensions: Number of leading dimensions of an embedding that are kept.
        embeddings: Number format in which embeddings are compared.
        rescore: How many documents of a ranking by ``int8`` or ``binary`` embeddings are scored
            anew with the query's own embedding.
        attention: Which implementation of attention computes; None for the one that transformers
            takes by itself.
        compile: Whether torch compiles the forward pass.
    """

    revision: str | None = None
    query_prompt: str | None = None
    document_prompt: str | None = None
    pooling: str | None = None
    normalise: bool | None = None
    similarity: Similarity | None = None
    max_tokens: int | None = None
    dtype: DType = "float32"
    device: str | None = None
    kind: Kind | None = None
    trust_remote_code: bool = False
    truncate_dimensions: int | None = None
    embeddings: Embeddings = "float32"
    rescore: int = RESCORE
    attention: Attention | None = None
    compile: bool = False

    def changed(self) -> dict[str, str | int | bool]:
        """The options that are not at their default, by name."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }
