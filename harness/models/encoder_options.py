"""What a user may set on an encoder in place of what the model declares."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

DType = Literal["float32", "bfloat16", "float16"]
Similarity = Literal["cosine", "dot"]


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
        device: Such as ``cpu`` or ``cuda:0``; None takes the best there is.
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

    def changed(self) -> dict[str, str | int | bool]:
        """The options that are not at their default, by name."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }
