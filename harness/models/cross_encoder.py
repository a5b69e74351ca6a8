"""Cross-encoders: a query and a document are read together, through sentence-transformers.

The score is the model's raw output, its *logit*. A sigmoid on top would leave the order as it is
and make equal what differs by less than a float32 near 1 can hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder.modules.logit_score import LogitScore
from torch import nn

from harness.embeddings.batch_runner import BatchRunner, Work
from harness.models.checkpoint import Checkpoint, limit_tokens, load_checkpoint, token_limit
from harness.models.devices import Replicas, compiling, tokens_per_batch
from harness.models.pair_batches import DistinctPairs, pair_batches
from harness.models.pair_reader import PairReader
from harness.retrieval.retrievers import Prepared
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.models.description import ModelDescription
    from harness.models.encoder_options import EncoderOptions
    from harness.progress import Reporter
    from tasks.collection import Collection

RELEVANT = ("relevant", "true", "yes", "positive")
"""Names of the label, of two, whose log-odds are the score."""
# Activations that never turn the order of two logits round; sentence-transformers' usual ones.
_ORDER_KEEPING = (nn.Identity, nn.Sigmoid, nn.Tanh, nn.LogSigmoid, nn.Softplus, nn.ReLU)


class CrossEncoderModel:
    """A reranker: a :class:`~harness.retrieval.retrievers.PairModel`, from the hub or a folder.

    Attributes:
        description: What it says of itself.
    """

    def __init__(
        self,
        model: CrossEncoder,
        description: ModelDescription,
        relevant: int | None,
        replicas: Replicas[CrossEncoder],
    ) -> None:
        self._model = model
        self._replicas = replicas
        self._relevant = relevant
        self._query_prompt = str(description.settings["query_prompt"])
        self._document_prompt = str(description.settings["document_prompt"])
        prompts = self._query_prompt, self._document_prompt
        self._reader = PairReader.of(model, prompts)
        self._runner = BatchRunner(len(replicas))
        self._tokens = self._padded = 0
        self.description = description

    @classmethod
    def load(cls, name: str, options: EncoderOptions) -> CrossEncoderModel:
        """Loads a cross-encoder; weights must be safetensors, its own code runs only if trusted.

        The prompt that the model puts before queries, or gives a language model as its
        instruction, is the one that it declares as its default.

        Args:
            name: A folder, or the id of a hub repository.
            options: What replaces the model's own declarations.

        Raises:
            ModelError: If it cannot be loaded, is no cross-encoder, lacks its trained head, or
                gives more than one number with nothing that says which is the score.
        """
        checkpoint = load_checkpoint(CrossEncoder, name, options)
        model, name = checkpoint.model, checkpoint.files.name
        limit_tokens(model, name, options.max_tokens)
        relevant = _relevant_label(model, name)
        if type(model.activation_fn) not in _ORDER_KEEPING:
            raise ModelError(
                f"The model {name!r} declares the activation {type(model.activation_fn).__name__}, "
                "which may order documents otherwise than the model's raw output does; allowed: "
                f"{', '.join(kept.__name__ for kept in _ORDER_KEEPING)}."
            )
        if options.dtype != "float32":
            _keep_head_in_float32(model)
        reranker = cls(model, _describe(checkpoint, relevant), relevant, checkpoint.replicas())
        if options.compile:
            with compiling(name):
                reranker.scores_of([("a", "a")], lambda _: None)
        return reranker

    def describe(self) -> ModelDescription:
        """See :meth:`harness.retrieval.retrievers.Model.describe`."""
        return self.description

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        cache: Path | None,  # noqa: ARG002  # the protocol's: a pair is seldom read twice
        progress: Reporter,  # noqa: ARG002  # the protocol's
    ) -> Prepared:
        """See :meth:`harness.retrieval.retrievers.Model.prepare`; nothing is done before pairs."""
        self._tokens = self._padded = 0
        texts = sum(len(collection.queries[code].texts) for code in languages[0])
        texts += sum(len(collection.corpora[code].texts) for code in languages[1])
        return Prepared(
            scorer=self,
            description=self.description,
            device=self.device,
            texts=texts,
            distinct_texts=texts,
        )

    def scores_of(
        self, pairs: Sequence[tuple[str, str]], on_pairs: Callable[[int], None]
    ) -> NDArray[np.float64]:
        """Scores pairs of texts, equal pairs once.

        Batches hold pairs of similar length, so a score depends on the other pairs by no more
        than the rounding of its number format.

        Raises:
            ModelError: If a score is no finite number; the pair is named.
        """
        distinct = DistinctPairs.of(pairs)
        work = self._work(distinct)
        scores = np.empty(len(distinct.query))
        batches = pair_batches(work.lengths, self._tokens_per_batch)
        for batch, found in self._runner.run(work, batches):
            scores[batch] = found
            if not np.isfinite(found).all():
                self._refuse(distinct.texts(batch), found)
            self._tokens += int(work.lengths[batch].sum())
            self._padded += int(work.lengths[batch].max()) * len(batch)
            on_pairs(int(distinct.times[batch].sum()))
        return scores[distinct.place]

    def lengths_of(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.int64]:
        """Number of tokens of each pair, as batches are packed by, shape (pairs,)."""
        distinct = DistinctPairs.of(pairs)
        found: NDArray[np.int64] = self._work(distinct).lengths[distinct.place]
        return found

    @property
    def padding(self) -> float:
        """Share of padding among the tokens of the batches that were scored."""
        return 1 - self._tokens / self._padded if self._padded else 0.0

    @property
    def device(self) -> str:
        """What it runs on, such as ``cpu`` or ``cuda:0``."""
        return str(self._model.device)

    @property
    def _tokens_per_batch(self) -> int:
        """Padded tokens that one batch may have."""
        return tokens_per_batch(self._model.device)

    def _work(self, distinct: DistinctPairs) -> Work[NDArray[np.float64]]:
        """The scoring of distinct pairs."""

        def named(row: int) -> tuple[str, str]:
            ((query, document),) = distinct.texts([row])
            return f"the query {query[:80]!r} and the document", document

        if (reader := self._reader) is None:

            def run_texts(rows: list[int]) -> NDArray[np.float64]:
                return self._scores(distinct.texts(rows))

            return Work(run_texts, self._token_counts(distinct), named)
        read = reader.read(distinct.queries, distinct.documents, distinct.query, distinct.document)

        def run_tokens(rows: list[int]) -> NDArray[np.float64]:
            return self._scores_of(reader.batch(read, rows))

        return Work(run_tokens, read.lengths, named)

    def _scores(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Scores of one batch of texts, shape (pairs,)."""
        inputs: Any = [(query, self._document_prompt + document) for query, document in pairs]
        with self._replicas.one() as model:
            logits = model.predict(
                inputs,
                prompt=self._query_prompt,
                batch_size=len(inputs),
                show_progress_bar=False,
                activation_fn=nn.Identity(),
                convert_to_tensor=True,
            )
            return self._relevance(logits)

    def _scores_of(self, features: dict[str, Any]) -> NDArray[np.float64]:
        """Scores of one batch that is read, as sentence-transformers' ``predict``."""
        with self._replicas.one() as model, torch.inference_mode():
            on_device = {
                key: value.to(model.device) if isinstance(value, torch.Tensor) else value
                for key, value in features.items()
            }
            logits = model(on_device)["scores"]
            return self._relevance(logits.squeeze(-1) if model.num_labels == 1 else logits)

    def _relevance(self, logits: torch.Tensor) -> NDArray[np.float64]:
        found: NDArray[np.float64] = logits.double().cpu().numpy()
        if self._relevant is None:
            return found
        return found[:, self._relevant] - found[:, 1 - self._relevant]

    def _token_counts(self, distinct: DistinctPairs) -> NDArray[np.int64]:
        """Tokens of each distinct pair, shape (pairs,); exact where pairs are plain text."""
        tokenizer = self._model.tokenizer
        prompts = self._query_prompt, self._document_prompt
        query, document = (
            np.array([len(tokens) for tokens in _tokenized(tokenizer, prompt, texts)], np.int64)
            for prompt, texts in zip(prompts, (distinct.queries, distinct.documents), strict=True)
        )
        special = tokenizer.num_special_tokens_to_add(pair=True)
        counts = query[distinct.query] + document[distinct.document] + special
        found: NDArray[np.int64] = np.minimum(counts, token_limit(self._model) or 2**31)
        return found

    def _refuse(self, pairs: Sequence[tuple[str, str]], scores: NDArray[np.float64]) -> None:
        bad = np.flatnonzero(~np.isfinite(scores))
        query, document = pairs[bad[0]]
        raise ModelError(
            f"The model's score of the query {query[:80]!r} and the document {document[:80]!r} is "
            f"{scores[bad[0]]} ({len(bad)} of {len(pairs)} pairs of its batch have no finite "
            "score).\nTry --dtype float32, or check the model's weights."
        )


def _tokenized(tokenizer: Any, prompt: str, texts: Sequence[str]) -> Sequence[Sequence[int]]:
    if not texts:
        return []
    whole = [prompt + text for text in texts]
    found: Sequence[Sequence[int]] = tokenizer(
        whole, add_special_tokens=False, truncation=False, verbose=False
    )["input_ids"]
    return found


def _relevant_label(model: CrossEncoder, name: str) -> int | None:
    """Index of the label, of two, that means relevant; None for a model with one output.

    Raises:
        ModelError: If none of two is called so, or there are more.
    """
    if model.num_labels == 1:
        return None
    declared = getattr(model.config, "id2label", None) or {}
    labels = [str(declared.get(index, index)) for index in range(model.num_labels)]
    relevant = [index for index, label in enumerate(labels) if label.lower() in RELEVANT]
    if len(labels) != 2 or len(relevant) != 1:
        raise ModelError(
            f"The model {name!r} gives {len(labels)} numbers ({', '.join(labels[:5])}), and "
            "nothing says which is the score. A reranker gives one; of two, the id2label of its "
            f"config.json must call one of them {', '.join(RELEVANT[:-1])} or {RELEVANT[-1]}."
        )
    return relevant[0]


def _keep_head_in_float32(model: CrossEncoder) -> None:
    """Lets the last layer compute in float32: bfloat16 holds 8 bits, and logits would be tied."""
    # A language model's head gives a logit for each token of its vocabulary.
    transformer: Any = model.transformers_model
    language = any(isinstance(module, LogitScore) for module in model)
    whole = transformer.get_output_embeddings() if language else None
    heads = [
        path
        for path, module in model.named_modules()
        if type(module) is nn.Linear
        and (module is whole or (whole is None and module.out_features == model.num_labels))
    ]
    model.set_keep_in_fp32_modules([*(model.keep_in_fp32_modules or []), *heads[-1:]])


def _describe(checkpoint: Checkpoint[CrossEncoder], relevant: int | None) -> ModelDescription:
    model, options = checkpoint.model, checkpoint.options
    declared = model.prompts.get(model.default_prompt_name or "") or ""
    return checkpoint.describe(
        query_prompt=declared if options.query_prompt is None else options.query_prompt,
        document_prompt=options.document_prompt or "",
        score="logit" if relevant is None else f"log-odds of label {relevant}",
        max_tokens=token_limit(model),
    )
