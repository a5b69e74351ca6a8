"""The loss of a bi-encoder: InfoNCE with the other passages of a batch as negatives.

The same as sentence-transformers' MultipleNegativesRankingLoss with a scale of 1 / temperature,
but for one thing: the passage of a pair with an equal query or an equal passage is no negative.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from submissions.baselines.length_groups import run_in_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentence_transformers import SentenceTransformer
    from torch import Tensor

    from submissions.baselines.recipe import Recipe
    from submissions.baselines.step_texts import StepTexts


class BiEncoderLoss:
    """Computes the loss of a step; see :class:`submissions.baselines.training_loop.Loss`.

    Args:
        model: The encoder; its prompts are put before the texts.
        recipe: The temperature, and the weight of a second task.
    """

    def __init__(self, model: SentenceTransformer, recipe: Recipe) -> None:
        self._model = model
        self._temperature = recipe.training.temperature
        self._multitask = recipe.multitask

    def __call__(self, texts: StepTexts) -> Tensor:
        """The loss of a batch; with a second task, the weighted sum of both."""
        queries, positives = texts.queries, texts.positives
        task = self._multitask
        if task is None:
            return self._retrieval(self._encode(queries, "query"), texts)
        # Each side is encoded once, its source texts and their twins together.
        asked = self._encode([*texts.source_queries, *queries], "query")
        found = self._encode([*texts.source_positives, *positives], "document")
        query, query_twin = asked[: len(queries)], asked[len(queries) :]
        document, document_twin = found[: len(positives)], found[len(positives) :]
        same = equal_pairs(texts)
        switched = task.retrieval == "switched"
        first = info_nce(
            query_twin if switched else query,
            document_twin if switched else document,
            same,
            self._temperature,
        )
        twins = [
            info_nce(a, b, same, self._temperature)
            for one, other in ((query, query_twin), (document, document_twin))
            for a, b in ((one, other), (other, one))
        ]
        return first + task.weight * torch.stack(twins).mean()

    def _retrieval(self, queries: Tensor, texts: StepTexts) -> Tensor:
        documents = self._encode(texts.positives, "document")
        return info_nce(queries, documents, equal_pairs(texts), self._temperature)

    def _encode(self, texts: Sequence[str], role: str) -> Tensor:
        """Vectors in float32, shape (texts, dimension)."""
        prompt = self._model.prompts.get(role) or ""
        features: Any = self._model.preprocess([prompt + text for text in texts])
        return run_in_groups(self._model, features, "sentence_embedding")


def info_nce(queries: Tensor, documents: Tensor, same: Tensor, temperature: float) -> Tensor:
    """Mean over queries of -log softmax of the own document's cosine (van den Oord et al. 2018).

    Args:
        queries: Shape (n, dimension).
        documents: Aligned with ``queries``, shape (n, dimension).
        same: Whether a document must not be a negative for a query, shape (n, n); the diagonal is
            not looked at.
        temperature: What cosines are divided by.

    Returns:
        The loss, shape ().
    """
    cosines = functional.normalize(queries, dim=1) @ functional.normalize(documents, dim=1).T
    own = torch.eye(len(queries), dtype=torch.bool, device=cosines.device)
    scores = (cosines / temperature).masked_fill(same.to(cosines.device) & ~own, -torch.inf)
    return functional.cross_entropy(scores, torch.arange(len(queries), device=scores.device))


def equal_pairs(texts: StepTexts) -> Tensor:
    """Whether two pairs of a batch have, before switching, one query or one passage.

    Returns:
        Shape (pairs, pairs).
    """
    equal = [
        torch.tensor([[a == b for b in side] for a in side])
        for side in (texts.source_queries, texts.source_positives)
    ]
    return equal[0] | equal[1]
