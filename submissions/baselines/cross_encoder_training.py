"""The loss of a cross-encoder: binary cross-entropy over positives and drawn negatives.

As monoBERT is trained by Litschko et al. 2023: one logit, and each positive beside its negatives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from submissions.baselines.length_groups import run_in_groups

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder
    from torch import Tensor

    from submissions.baselines.step_texts import StepTexts


class CrossEncoderLoss:
    """Computes the loss of a step; see :class:`submissions.baselines.training_loop.Loss`.

    Args:
        model: The cross-encoder, with one output.
    """

    def __init__(self, model: CrossEncoder) -> None:
        self._model = model

    def __call__(self, texts: StepTexts) -> Tensor:
        """The mean over all (query, passage) pairs of a batch."""
        rows = zip(texts.queries, texts.positives, texts.negatives, strict=True)
        pairs: Any = [
            (query, passage)
            for query, positive, negatives in rows
            for passage in (positive, *negatives)
        ]
        labels = [
            label for negatives in texts.negatives for label in (1.0, *[0.0 for _ in negatives])
        ]
        features: Any = self._model.preprocess(pairs)
        logits = run_in_groups(self._model, features, "scores").view(-1)
        return functional.binary_cross_entropy_with_logits(
            logits, torch.tensor(labels, device=logits.device)
        )
